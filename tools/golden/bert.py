#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/{bert_dino,bert_plain}: random-weight miniatures of BERT and what transformers makes of captions,
with Grounding DINO's masks and positions. See README.md beside this file. Needs tests/golden/wordpiece.

Weights are rounded to float32 first; the reference then computes in float64.

    bert.py [FOLDER]        # default: tests/golden of this tree
"""
import json
import os
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, BertTokenizerFast
from transformers.models.grounding_dino import modeling_grounding_dino as dino

MOST = 256  # GroundingDinoConfig.max_text_len
CAPTIONS = ["cat . dog . red car .", "a", "", "What is that? the traffic light on the tree", "  CAT.\n", "red car . " * 100,
            "the " * 270, "a [SEP] b. c", "dog .. ? . cat ?"]
LONG = (5, 6)

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)


def randomise(model, seed):
    """Seeded weights, large enough that every part shows in the output; float32 values held as float64."""
    g = torch.Generator().manual_seed(seed)
    model.double()
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g, dtype=torch.float64)
        if "LayerNorm" in name:
            r = r * 0.1 + (1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            r *= 0.1
        elif "query" in name or "key" in name:
            r *= 0.4
        else:
            r *= 0.3 if "embeddings" in name else 0.18
        p.data.copy_(r.float().double())
    return model.eval()


def save(folder, config, weights, golden):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as f:
        f.write(json.dumps(config, indent=2) + "\n")
    for name, tensors in (("model", weights), ("golden", golden)):
        save_file({k: (v.float() if v.is_floating_point() else v).contiguous() for k, v in sorted(tensors.items())},
                  os.path.join(folder, name + ".safetensors"))


def stretch(mask):
    """A row's allowed columns, which lie together, as the first and the one behind the last."""
    on = mask.nonzero()[:, 0]
    first, end = int(on[0]), int(on[-1]) + 1
    assert mask[first:end].all() and end - first == len(on)
    return first, end


def caption_case(model, tokenizer, i, out):
    text = CAPTIONS[i].lower().strip()
    ids = torch.tensor(tokenizer.encode(text if text.endswith(".") else text + "."))[None]
    mask, position = dino.generate_masks_with_special_tokens_and_transfer_map(ids)
    ids, mask, position = ids[:, :MOST], mask[:, :MOST, :MOST], position[:, :MOST]
    hidden = model(ids, mask, torch.zeros_like(ids), position, output_hidden_states=True).hidden_states
    first, end = zip(*[stretch(row) for row in mask[0]])
    out[f"{i}.caption"] = torch.tensor(list(CAPTIONS[i].encode()), dtype=torch.uint8)
    out[f"{i}.ids"], out[f"{i}.position"] = ids[0].int(), position[0].int()
    out[f"{i}.first"], out[f"{i}.end"] = torch.tensor(first).int(), torch.tensor(end).int()
    for layer, h in enumerate(hidden):
        if i not in LONG or layer == len(hidden) - 1:
            out[f"{i}.hidden.{layer}"] = h[0]


def make_dino(golden):
    tokenizer = BertTokenizerFast(os.path.join(golden, "wordpiece", "vocab.txt"))
    dino.SPECIAL_TOKENS = [tokenizer.vocab[t] for t in ("[CLS]", "[SEP]", ".", "?")]
    sizes = dict(vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                 intermediate_size=40, max_position_embeddings=260)
    model = randomise(BertModel(BertConfig(**sizes, attn_implementation="eager"), add_pooling_layer=False), 51)
    out = {}
    for i in range(len(CAPTIONS)):
        caption_case(model, tokenizer, i, out)
    config = {"architectures": ["GroundingDinoForObjectDetection"], "model_type": "grounding-dino",
              "text_config": dict(model_type="bert", **sizes)}
    weights = {"model.text_backbone." + k: v for k, v in model.state_dict().items()}
    save(os.path.join(golden, "bert_dino"), config, weights, out)


def make_plain(golden):
    sizes = dict(vocab_size=41, hidden_size=30, num_hidden_layers=2, num_attention_heads=5, intermediate_size=33,
                 max_position_embeddings=16, type_vocab_size=1, layer_norm_eps=1e-3)
    model = randomise(BertModel(BertConfig(**sizes, attn_implementation="eager")), 52)
    g, out = np.random.default_rng(53), {}
    for i, n in enumerate((16, 1, 9)):
        ids = torch.tensor(g.integers(0, 41, n))[None]
        out[f"{i}.ids"] = ids[0].int()
        for layer, h in enumerate(model(ids, output_hidden_states=True).hidden_states):
            out[f"{i}.hidden.{layer}"] = h[0]
    save(os.path.join(golden, "bert_plain"), dict(model_type="bert", **sizes), model.state_dict(), out)


def main():
    golden = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden")
    with torch.no_grad():
        make_dino(golden)
        make_plain(golden)


main()
