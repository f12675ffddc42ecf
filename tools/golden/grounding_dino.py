#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/{dino_hf,dino_original}: random-weight miniatures of Grounding DINO and what transformers makes of
pictures and captions; and tests/golden/dino_answers, what its processor and non-maximum suppression make of random
outputs. See README.md beside this file. Needs tests/golden/wordpiece.

Weights follow a formula (see `weight`) that the test knows as well: stored are their names and shapes alone. The
reference computes in float64 (save where transformers itself drops to float32).

    grounding_dino.py [FOLDER]        # default: tests/golden of this tree
"""
import json
import os
import re
import sys
import zlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (BertTokenizerFast, GroundingDinoConfig, GroundingDinoForObjectDetection,
                          GroundingDinoImageProcessor, GroundingDinoProcessor)
from transformers.models.grounding_dino import modeling_grounding_dino as dino

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)


def numbers(name, count):
    """-1..1 in steps of 2^-23, the same for a name everywhere."""
    x = np.uint32(zlib.crc32(name.encode())) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -23) - np.float32(1)


def weight(name, shape):
    """Matrices of deviation 1 / sqrt(inputs), biases within 1/4, offsets' within 2 places, scales about 1."""
    x = numbers(name, int(np.prod(shape))).reshape(tuple(shape))
    if len(shape) > 1:
        return x if name.endswith("table") else x * np.float32(np.sqrt(3 / (x.size / shape[0])))
    if name.endswith("bias"):
        return x * np.float32(2 if "sampling_offsets" in name else 0.25)
    return x * np.float32(0.125) + np.float32(1)


ORIGINAL = [  # transformers' names -> the original's, as patterns in this order
    (r"^model\.backbone\.conv_encoder\.model\.", "backbone.0."),
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"), (r"^backbone\.0\.embeddings\.norm", "backbone.0.patch_embed.norm"),
    (r"^backbone\.0\.encoder\.layers", "backbone.0.layers"), (r"layernorm_before", "norm1"), (r"layernorm_after", "norm2"),
    (r"attention\.self\.relative_position", "attn.relative_position"),
    (r"^(backbone.*)attention\.output\.dense", r"\1attn.proj"), (r"^(backbone.*)attention\.self\.query", r"\1attn.qkv"),
    (r"^(backbone.*)intermediate\.dense", r"\1mlp.fc1"), (r"^(backbone.*)output\.dense", r"\1mlp.fc2"),
    (r"hidden_states_norms\.stage2", "norm1"), (r"hidden_states_norms\.stage3", "norm2"), (r"hidden_states_norms\.stage4", "norm3"),
    (r"^model\.text_backbone", "bert"), (r"^model\.text_projection", "feat_map"),
    (r"^model\.input_proj_vision", "input_proj"), (r"^model\.level_embed", "transformer.level_embed"),
    (r"^model\.query_position_embeddings", "transformer.tgt_embed"), (r"^model\.enc_output", "transformer.enc_output"),
    (r"^model\.encoder_output_bbox_embed", "transformer.enc_out_bbox_embed"),
    (r"^model\.decoder\.reference_points_head", "transformer.decoder.ref_point_head"),
    (r"^model\.decoder\.layer_norm", "transformer.decoder.norm"),
    (r"^model\.encoder\.layers\.(\d+)\.fusion_layer\.", r"transformer.encoder.fusion_layers.\1."),
    (r"^model\.encoder\.layers\.(\d+)\.text_enhancer_layer\.", r"transformer.encoder.text_layers.\1."),
    (r"^model\.encoder\.layers\.(\d+)\.deformable_layer\.", r"transformer.encoder.layers.\1."),
    (r"^model\.decoder\.layers", "transformer.decoder.layers"),
    (r"vision_param", "gamma_v"), (r"text_param", "gamma_l"), (r"layer_norm_vision", "layer_norm_v"),
    (r"layer_norm_text", "layer_norm_l"), (r"\.(values_|out_|)vision_proj", r".\1v_proj"), (r"\.(values_|out_|)text_proj", r".\1l_proj"),
    (r"(text_layers.*)layer_norm_before", r"\1norm1"), (r"(text_layers.*)layer_norm_after", r"\1norm2"),
    (r"(encoder\.layers.*)self_attn_layer_norm", r"\1norm1"), (r"(encoder\.layers.*)final_layer_norm", r"\1norm2"),
    (r"(decoder\.layers.*)self_attn_layer_norm", r"\1norm2"), (r"encoder_attn_text_layer_norm", "catext_norm"),
    (r"encoder_attn_layer_norm", "norm1"), (r"final_layer_norm", "norm3"), (r"encoder_attn_text", "ca_text"),
    (r"encoder_attn", "cross_attn"), (r"(transformer.*)fc1", r"\1linear1"), (r"(transformer.*)fc2", r"\1linear2"),
    (r"(self_attn|ca_text)\.query\.", r"\1.in_proj_"),
]


def original_name(name):
    for a, b in ORIGINAL:
        name = re.sub(a, b, name)
    return "module." + name


def put_weights(model, original):
    """Sets the model's weights and returns what a file would hold: names and shapes."""
    shapes, named = {}, dict(model.named_parameters())  # names each tensor once
    for name, p in named.items():
        packed = original and re.search(r"\.(query|key|value)\.", name) and "text_backbone" not in name
        if packed and ".query." not in name:
            continue
        stored = name.replace("model.decoder.bbox_embed", "bbox_embed")  # which are the same
        stored = original_name(stored) if original else stored
        parts = [named[name.replace(".query.", f".{part}.")] for part in ("query", "key", "value")] if packed else [p]
        shape = [sum(part.shape[0] for part in parts), *p.shape[1:]]
        shapes[stored] = shape
        x = torch.from_numpy(weight(stored, shape)).double()
        for part, rows in zip(parts, x.split(p.shape[0])):
            part.data.copy_(rows)
    return shapes


def picture(width, height, seed):
    """Soft blobs with some noise: [height,width,3] uint8."""
    g = np.random.default_rng(seed)
    small = g.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    big = np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC)).astype(int)
    return (big + g.integers(-12, 13, big.shape)).clip(0, 255).astype(np.uint8)


class Stages:
    """What each module of a pass was given by name, and what it gave."""

    def __init__(self, model):
        self.seen = {}
        for name, module in model.named_modules():
            module.register_forward_hook(self.hook(name), with_kwargs=True)

    def hook(self, name):
        def note(module, args, given, out):
            self.seen.setdefault(name, (given, out))
        return note

    def of(self, name):
        """[rows,C] of the only picture."""
        out = self.seen[name][1]
        return (out[0] if isinstance(out, tuple) else out)[0]


def put_encoder(out, name, stages, layers, every):
    for i in range(layers):
        layer = f"model.encoder.layers.{i}."
        (v, _), (t, _) = stages.seen[layer + "fusion_layer"][1]
        if every:
            out[f"{name}.fused.{i}"], out[f"{name}.fused_words.{i}"] = v[0], t[0]
        if every or i == layers - 1:
            out[f"{name}.words.{i + 1}"] = stages.of(layer + "text_enhancer_layer")
            out[f"{name}.places.{i + 1}"] = stages.of(layer + "deformable_layer")


def check_choice(best, queries, name):
    """The chosen are chosen clearly, but for places that are all alike: those that lie too near the border."""
    top = best.sort(descending=True).values[:queries + 1]
    apart = top[:-1] - top[1:]
    assert (apart[apart != 0] > 1e-4 * best.abs().max()).all(), (name, apart)
    assert (apart != 0).sum() > queries / 2, name


def scene(model, processor, out, name, size, caption, seed, every=False):
    image, text, config = picture(*size, seed), caption.lower().strip(), model.config
    inputs = processor(Image.fromarray(image), text if text.endswith(".") else text + ".", return_tensors="pt")
    assert inputs["pixel_mask"].all()
    n = min(inputs["input_ids"].shape[1], config.max_text_len)
    stages = Stages(model)
    answer = model(inputs["pixel_values"].double(), inputs["input_ids"], inputs["token_type_ids"],
                   inputs["attention_mask"][:, :n], inputs["pixel_mask"], output_hidden_states=True)
    out[name + ".image"] = torch.from_numpy(image)
    out[name + ".caption"] = torch.tensor(list(caption.encode()), dtype=torch.uint8)
    out[name + ".size"] = torch.tensor(inputs["pixel_values"].shape[2:], dtype=torch.int32)
    if every:
        levels = [stages.of(f"model.input_proj_vision.{i}") for i in range(config.num_feature_levels)]
        out[name + ".places.0"] = torch.cat([x.flatten(1).T for x in levels])
        out[name + ".words.0"] = stages.of("model.text_projection")
        out[name + ".pixels"] = inputs["pixel_values"][0]
        out[name + ".positions"] = stages.seen["model.encoder"][0]["vision_position_embedding"][0]
    put_encoder(out, name, stages, config.encoder_layers, every)
    check_choice(answer.enc_outputs_class[0].max(-1)[0], config.num_queries, name)
    out[name + ".boxes.0"] = answer.init_reference_points[0]
    for i in range(config.decoder_layers):
        out[f"{name}.queries.{i + 1}"] = stages.of(f"model.decoder.layers.{i}")
        out[f"{name}.boxes.{i + 1}"] = answer.intermediate_reference_points[0, i]
    out[name + ".logits"], out[name + ".boxes"] = answer.logits[0, :, :n], answer.pred_boxes[0]


def put(folder, name, tensors, limit):
    tensors = {k: (t.float() if t.dtype == torch.float64 else t).detach().contiguous() for k, t in tensors.items()}
    path = os.path.join(folder, name)
    save_file(tensors, path, metadata={"format": "pt"})
    kb = os.path.getsize(path) / 1000
    print(f"{path}: {len(tensors)} tensors, {kb:.0f} KB")
    assert kb <= limit, f"{path} has {kb:.0f} KB"


def put_json(folder, name, value):
    for key in ("transformers_version", "_name_or_path"):
        value.pop(key, None)
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def sizes_of_text(tokenizer, **sizes):
    return dict(model_type="bert", vocab_size=len(tokenizer), max_position_embeddings=260, **sizes)


def make(root, name, original, config, edges, scenes):
    folder = os.path.join(root, name)
    os.makedirs(folder, exist_ok=True)
    config = GroundingDinoConfig(attn_implementation="eager", **config)
    config.text_config._attn_implementation = "eager"
    tokenizer = BertTokenizerFast(os.path.join(root, "wordpiece", "vocab.txt"))
    dino.SPECIAL_TOKENS = [tokenizer.vocab[t] for t in ("[CLS]", "[SEP]", ".", "?")]
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessor(size={"shortest_edge": edges[0], "longest_edge": edges[1]}), tokenizer)
    model = GroundingDinoForObjectDetection(config)
    if original:  # where each layer may have its own
        model.bbox_embed = torch.nn.ModuleList(
            dino.GroundingDinoMLPPredictionHead(config.d_model, config.d_model, 4, 3) for _ in model.bbox_embed)
        model.model.decoder.bbox_embed = model.bbox_embed
    model = model.double().eval()
    shapes = put_weights(model, original)
    with open(os.path.join(folder, "shapes.json"), "w") as f:
        f.write("{\n" + ",\n".join(f' "{k}": {v}' for k, v in sorted(shapes.items())) + "\n}\n")
    put_json(folder, "preprocessor_config.json", processor.image_processor.to_dict())
    if not original:
        config.architectures = ["GroundingDinoForObjectDetection"]
        put_json(folder, "config.json", config.to_diff_dict())
    out = {}
    for i, (scene_name, size, caption) in enumerate(scenes):
        scene(model, processor, out, scene_name, size, caption, i + 1, every=not original and i == 0)
    put(folder, "golden.safetensors", out, 300)


def make_models(root):
    tokenizer = BertTokenizerFast(os.path.join(root, "wordpiece", "vocab.txt"))
    logit = torch.special.logit
    make(root, "dino_hf", False, dict(
        backbone_config=dict(model_type="swin", embed_dim=8, depths=[1, 1, 2, 1], num_heads=[1, 2, 4, 8], window_size=7,
                             mlp_ratio=2.0, image_size=56, out_indices=[2, 3, 4]),
        text_config=sizes_of_text(tokenizer, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40),
        d_model=32, num_queries=15, encoder_layers=2, encoder_ffn_dim=48, encoder_attention_heads=4, encoder_n_points=3,
        decoder_layers=3, decoder_ffn_dim=40, decoder_attention_heads=2, decoder_n_points=4), (48, 420), [
            ("wide", (93, 61), "Cat . red car"), ("tall", (29, 47), "What is that? the tree ."),
            ("long", (200, 11), "a traffic light.")])
    torch.special.logit = lambda x, eps: torch.log(x.clamp(min=1e-3) / (1 - x).clamp(min=1e-3))
    make(root, "dino_original", True, dict(
        backbone_config=dict(model_type="swin", embed_dim=16, depths=[1, 1, 3, 1], num_heads=[1, 2, 4, 8], window_size=12,
                             mlp_ratio=1.5, image_size=96, out_indices=[2, 3, 4]),
        text_config=sizes_of_text(tokenizer, hidden_size=128, num_hidden_layers=1, num_attention_heads=2, intermediate_size=60),
        d_model=64, num_queries=11, encoder_layers=2, encoder_ffn_dim=64, encoder_attention_heads=8, encoder_n_points=4,
        decoder_layers=2, decoder_ffn_dim=64, decoder_attention_heads=8, decoder_n_points=4), (72, 110), [
            ("square", (33, 33), "dog"), ("odd", (71, 59), "red car . " * 100), ("tiny", (2, 2), "")])
    torch.special.logit = logit


def random_outputs(g, caption_ids):
    """Logits [q,256] with most below the thresholds and boxes [q,4] of which many show the same."""
    q, n = int(g.integers(1, 40)), min(len(caption_ids), 256)
    logits = torch.full((q, 256), -torch.inf)
    logits[:, :n] = torch.from_numpy(g.normal(-3, 2.5, (q, n))).float()
    centers = g.uniform(0, 1, (4, 4)) * [1, 1, 0.8, 0.8]
    boxes = centers[g.integers(0, 4, q)] + g.normal(0, 0.01, (q, 4))
    return logits, torch.from_numpy(boxes.clip(0, 1)).float()


def make_answers(root):
    """What becomes of 50 random outputs: the reference's boxes, scores and phrases behind the suppression."""
    from torchvision.ops import nms
    tokenizer = BertTokenizerFast(os.path.join(root, "wordpiece", "vocab.txt"))
    processor = GroundingDinoProcessor(GroundingDinoImageProcessor(), tokenizer)
    g, out = np.random.default_rng(7), {}
    words = [w for w in tokenizer.vocab if w.isalpha() and len(w) > 1] + ["traffic light", "don't", "co-op"]
    for i in range(50):
        n = int(g.integers(0, 6)) if i else 200
        caption = " . ".join(" ".join(g.choice(words, int(g.integers(1, 4)))) for _ in range(n)).lower() + "."
        ids = torch.tensor([tokenizer.encode(caption)])
        logits, boxes = random_outputs(g, ids[0])
        size = (int(g.integers(1, 2000)), int(g.integers(1, 2000)))
        raw = dino.GroundingDinoObjectDetectionOutput(logits=logits[None], pred_boxes=boxes[None])
        found, = processor.post_process_grounded_object_detection(raw, ids, 0.35, 0.25, [size])
        kept = nms(found["boxes"], found["scores"], 0.8)
        out[f"{i}.caption"] = torch.tensor(list(caption.encode()), dtype=torch.uint8)
        out[f"{i}.logits"], out[f"{i}.raw"] = logits[:, :min(ids.shape[1], 256)], boxes
        out[f"{i}.size"] = torch.tensor(size, dtype=torch.int32)
        out[f"{i}.boxes"], out[f"{i}.scores"] = found["boxes"][kept], found["scores"][kept]
        phrases = "".join(found["labels"][k].replace(".", "") + "\n" for k in kept)
        out[f"{i}.phrases"] = torch.tensor(list(phrases.encode()), dtype=torch.uint8)
    folder = os.path.join(root, "dino_answers")
    os.makedirs(folder, exist_ok=True)
    put(folder, "golden.safetensors", out, 200)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    root = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "tests", "golden"))
    with torch.no_grad():
        make_models(root)
        make_answers(root)
