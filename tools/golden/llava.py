#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/{llava_mlp,llava_linear,clip_odd,llama_tied}: random-weight miniatures and what the
reference implementation (transformers on PyTorch) makes of them. See README.md beside this file.

Weights are rounded to float32 first; the reference then computes in float64 (save where transformers itself drops
to float32), so that nearly all of a test's tolerance is left to the tested code.

    llava.py [FOLDER]        # default: tests/golden of this tree
"""
import io
import json
import os
import sys

import numpy as np
import sentencepiece
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import (CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM, LlavaConfig,
                          LlavaForConditionalGeneration)

IMAGE = -200   # the id that stands for a picture in a prompt
IGNORE = -100  # the label of a position without a loss
STEPS = 3
TOKENS = 64  # greedy ones

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)


def randomise(model, seed):
    """Seeded weights, large enough that every part shows in the output; float32 values held as float64."""
    g = torch.Generator().manual_seed(seed)
    model.double()
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g, dtype=torch.float64)
        if "norm" in name or "layrnorm" in name:
            r = r * 0.1 + (1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            r *= 0.1
        elif "lm_head" in name or "embed_tokens" in name:
            r *= 0.3
        else:
            r *= 0.18
        p.data.copy_(r.float().double())
    return model.eval()


def pixels(n, size, seed):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, size, size, generator=g).double()


class Llava:
    """The parts of one LLaVA, whichever layout they came from; the splicing of the paper, section 4.1."""

    def __init__(self, tower, projector, llama):
        self.tower, self.projector, self.llama = tower, projector, llama

    def features(self, x):
        return self.tower(x, output_hidden_states=True).hidden_states[-2][:, 1:]

    def embeds(self, ids, images):
        """ids [t] with IMAGE, images [n,3,H,W] in order -> [T,D], and the labels' positions as a mask [T]."""
        rows, images = [], iter(self.projector(self.features(images)) if images is not None else [])
        table = self.llama.get_input_embeddings()
        for i in ids:
            rows.append(next(images) if i == IMAGE else table(torch.tensor([i])))
        return torch.cat(rows)

    def logits(self, embeds, **more):
        return self.llama(inputs_embeds=embeds[None], use_cache=False, **more)

    def loss(self, batch):
        """Mean over all labelled positions of all sequences; position t is asked for label t + 1."""
        total, count = 0, 0
        for ids, labels, images in batch:
            x = self.embeds(ids, images)
            patches = x.shape[0] - len(ids) + 1
            wide = []
            for i, label in zip(ids, labels):
                wide += [IGNORE] * patches if i == IMAGE else [label]
            wide = torch.tensor(wide)
            y = self.logits(x).logits[0]
            total = total + F.cross_entropy(y[:-1], wide[1:], ignore_index=IGNORE, reduction="sum")
            count += int((wide[1:] != IGNORE).sum())
        return total / count


def greedy(m, ids, images, n):
    out = []
    for _ in range(n):
        y = m.logits(m.embeds(ids + out, images)).logits[0, -1]
        best = torch.topk(y, 2).values
        assert best[0] - best[1] > 1e-3, f"{best} are too close to call: choose another seed"
        out.append(int(y.argmax()))
    return out


def llama_case(m, name, ids, images, out):
    x = m.embeds(ids, images)
    r = m.logits(x, output_hidden_states=True)
    out[name + ".ids"] = torch.tensor(ids, dtype=torch.int32)
    out[name + ".embeds"] = x
    for i, h in enumerate(r.hidden_states[1:-1]):
        out[f"{name}.hidden.{i + 1}"] = h[0]
    out[name + ".normed"] = r.hidden_states[-1][0]  # behind the final norm
    out[name + ".logits"] = r.logits[0]
    out[name + ".greedy"] = torch.tensor(greedy(m, ids, images, TOKENS), dtype=torch.int32)


def tower_case(tower, x, layers, out):
    for i, h in enumerate(tower(x, output_hidden_states=True).hidden_states[:layers + 1]):
        out[f"vision.hidden.{i}"] = h  # 0: behind the first norm


def prompts(vocab, seed):
    """one: a picture in the middle; two: pictures at both ends; text: none."""
    g = np.random.default_rng(seed)
    some = lambda n: [int(i) for i in g.integers(3, vocab - 2, n)]
    return {"one": [1] + some(5) + [IMAGE] + some(6), "two": [IMAGE] + some(4) + [IMAGE], "text": [1] + some(10)}


def golden(m, size, vocab, seed):
    out = {"pixels": pixels(2, size, seed)}
    x = out["pixels"]
    tower_case(m.tower, x, m.tower.config.num_hidden_layers - 1, out)
    out["features"] = m.features(x)
    out["projected"] = m.projector(m.features(x))
    for name, ids in prompts(vocab, seed).items():
        n = ids.count(IMAGE)
        llama_case(m, name, ids, x[:n] if n else None, out)
    return out


def training(m, params, size, vocab, seed):
    """The gradients of a labelled batch of two, and what AdamW makes of all weights in three steps."""
    ids = prompts(vocab, seed + 1)
    images = pixels(1, size, seed + 1)
    batch = []
    for key, masked in (("one", 8), ("text", 4)):
        labels = [IGNORE] * masked + ids[key][masked:]
        batch.append((ids[key], labels, images if key == "one" else None))
    out = {"pixels": images}
    for key, (i, labels, _) in zip(("one", "text"), batch):
        out[key + ".ids"] = torch.tensor(i, dtype=torch.int32)
        out[key + ".labels"] = torch.tensor(labels, dtype=torch.int32)
    before = {k: p.detach().clone() for k, p in params.items()}
    adamw = torch.optim.AdamW(params.values(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses = []
    for step in range(STEPS + 1):
        adamw.zero_grad(set_to_none=True)
        loss = m.loss(batch)
        losses.append(loss.detach())
        if step == STEPS:
            break
        loss.backward()
        if step == 0:
            out.update({"grad." + k: p.grad.clone() for k, p in params.items() if p.grad is not None})
        adamw.step()
    out["losses"] = torch.stack(losses)
    for k, p in params.items():
        # A key's bias moves all scores of a query alike: its gradient is 0, its step the sign of rounding noise.
        if "grad." + k in out and not k.endswith("k_proj.bias"):
            out["delta." + k] = (p.detach() - before[k]).half()  # 11 bits of a step are enough, and half the size
    return out


def put(folder, name, tensors, limit):
    tensors = {k: (t.float() if t.dtype == torch.float64 else t).detach().contiguous() for k, t in tensors.items()}
    path = os.path.join(folder, name)
    save_file(tensors, path, metadata={"format": "pt"})
    kb = os.path.getsize(path) / 1000
    assert kb <= limit, f"{path} has {kb:.0f} KB"
    print(f"{path}: {len(tensors)} tensors, {kb:.0f} KB")


def put_tokenizer(folder):
    """A language of few words: what a folder needs to be opened. Every id is below every model's vocabulary."""
    words = ["a picture of a cat", "the sign says stop", "two dogs on a bench", "what is in the picture"]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words), model_writer=model, model_type="bpe", vocab_size=50, num_threads=1,
        normalization_rule_name="identity", add_dummy_prefix=True, remove_extra_whitespaces=False,
        minloglevel=2)
    with open(os.path.join(folder, "tokenizer.model"), "wb") as f:
        f.write(model.getvalue())


def put_config(folder, config):
    for key in ("transformers_version", "_name_or_path"):
        config.pop(key, None)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(config, f, indent=1)
        f.write("\n")


def make_mlp(root):
    """transformers' layout, two-layer projector, grouped key heads; config.json as transformers writes it: only
    what differs from its defaults."""
    folder = os.path.join(root, "llava_mlp")
    os.makedirs(folder, exist_ok=True)
    vocab, size = 64, 28
    vision = CLIPVisionConfig(hidden_size=24, intermediate_size=29, num_hidden_layers=3, num_attention_heads=2,
                              image_size=size, patch_size=7, projection_dim=16)
    text = LlamaConfig(vocab_size=vocab, hidden_size=40, intermediate_size=33, num_hidden_layers=2,
                       num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5)
    config = LlavaConfig(vision, text, image_token_index=vocab - 1, projector_hidden_act="gelu",
                         vision_feature_select_strategy="default", vision_feature_layer=-2)
    config._attn_implementation = "eager"
    model = randomise(LlavaForConditionalGeneration(config), 11)
    m = Llava(model.vision_tower, model.multi_modal_projector, model.language_model)
    params = dict(model.named_parameters())
    put(folder, "model.safetensors", params, 200)
    config.architectures = ["LlavaForConditionalGeneration"]
    put_config(folder, config.to_diff_dict())
    out = golden(m, size, vocab, 6)
    # the whole model as transformers runs it agrees with the parts
    ids = [vocab - 1 if i == IMAGE else i for i in out["one.ids"].tolist()]
    whole = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                  pixel_values=out["pixels"][:1]).logits[0]
    assert (whole - out["one.logits"]).abs().max() < 1e-6
    put(folder, "golden.safetensors", out, 100)
    put_tokenizer(folder)
    put(folder, "train.safetensors", training(m, params, size, vocab, 7), 250)


def make_linear(root):
    """The original LLaVA's layout, linear projector; the tower's own config lies under "vision_config"."""
    folder = os.path.join(root, "llava_linear")
    os.makedirs(folder, exist_ok=True)
    vocab, size = 60, 30
    vision = CLIPVisionConfig(hidden_size=24, intermediate_size=21, num_hidden_layers=3, num_attention_heads=3,
                              image_size=size, patch_size=10)
    text = LlamaConfig(vocab_size=vocab, hidden_size=36, intermediate_size=31, num_hidden_layers=2,
                       num_attention_heads=3, max_position_embeddings=256, rms_norm_eps=1e-6, rope_theta=500.0)
    vision._attn_implementation = text._attn_implementation = "eager"
    tower, llama = randomise(CLIPVisionModel(vision), 21), randomise(LlamaForCausalLM(text), 22)
    projector = randomise(torch.nn.Linear(24, 36), 23)
    m = Llava(tower, projector, llama)
    params = dict(llama.named_parameters())
    params |= {"model.mm_projector." + k: p for k, p in projector.named_parameters()}
    params |= {"model.vision_tower.vision_tower." + k: p for k, p in tower.named_parameters()}
    # two tensors that old checkpoints carry and nobody needs
    old = {"model.vision_tower.vision_tower.vision_model.embeddings.position_ids": torch.arange(10)[None],
           "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(6)}
    put(folder, "model.safetensors", params | old, 200)
    put_config(folder, {
        "architectures": ["LlavaLlamaForCausalLM"], "model_type": "llava", "bos_token_id": 1, "eos_token_id": 2,
        "pad_token_id": 0, "hidden_act": "silu", "hidden_size": 36, "intermediate_size": 31,
        "num_attention_heads": 3, "num_hidden_layers": 2, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
        "rope_theta": 500.0, "tie_word_embeddings": False, "vocab_size": vocab, "torch_dtype": "float32",
        "mm_vision_tower": "random/clip-vit-tiny-patch10", "mm_hidden_size": 24, "mm_vision_select_layer": -2,
        "mm_vision_select_feature": "patch", "mm_use_im_start_end": False, "use_mm_proj": True,
        "vision_config": {k: v for k, v in vision.to_diff_dict().items()
                          if k not in ("transformers_version", "attn_implementation")}})
    put(folder, "golden.safetensors", golden(m, size, vocab, 6), 100)
    put_tokenizer(folder)
    put(folder, "train.safetensors", training(m, params, size, vocab, 7), 250)


def make_clip(root):
    """A tower alone: 5 heads of 4, erf GELU, 7 x 7 patches, a large epsilon."""
    folder = os.path.join(root, "clip_odd")
    os.makedirs(folder, exist_ok=True)
    config = CLIPVisionConfig(hidden_size=20, intermediate_size=33, num_hidden_layers=2, num_attention_heads=5,
                              image_size=21, patch_size=3, hidden_act="gelu", layer_norm_eps=1e-3)
    config._attn_implementation = "eager"
    tower = randomise(CLIPVisionModel(config), 31)
    put(folder, "model.safetensors", dict(tower.named_parameters()), 60)
    config.architectures = ["CLIPVisionModel"]
    put_config(folder, config.to_diff_dict())
    out = {"pixels": pixels(1, 21, 3)}
    tower_case(tower, out["pixels"], 2, out)
    put(folder, "golden.safetensors", out, 60)


def make_llama(root):
    """A language model alone: the output layer is the embedding table, one key head for all, three layers."""
    folder = os.path.join(root, "llama_tied")
    os.makedirs(folder, exist_ok=True)
    vocab = 67
    config = LlamaConfig(vocab_size=vocab, hidden_size=24, intermediate_size=34, num_hidden_layers=3,
                         num_attention_heads=6, num_key_value_heads=1, tie_word_embeddings=True)
    config._attn_implementation = "eager"
    llama = randomise(LlamaForCausalLM(config), 41)
    put(folder, "model.safetensors", dict(llama.named_parameters()), 60)
    config.architectures = ["LlamaForCausalLM"]
    put_config(folder, config.to_diff_dict())
    out = {}
    llama_case(Llava(None, None, llama), "text", prompts(vocab, 9)["text"], None, out)
    put(folder, "golden.safetensors", out, 60)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "tests", "golden")
    for make in (make_mlp, make_linear, make_clip, make_llama):
        make(os.path.normpath(root))
