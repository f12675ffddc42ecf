#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/swin: configurations of Swin backbones and what transformers' SwinBackbone makes of pictures.

Weights and pictures follow a formula (see `numbers`) that the test knows as well, and are not stored, save for one
small backbone by the original repository's names. The reference computes in float64.

    swin.py [FOLDER]        # default: tests/golden of this tree
"""
import json
import os
import sys
import zlib

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import SwinBackbone, SwinConfig

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)

PREFIX = "backbone.0."
CASES = {  # configuration, pictures (height, width)
    "window4": (dict(embed_dim=16, depths=[2, 2, 2, 2], num_heads=[1, 2, 4, 8], window_size=4, mlp_ratio=2.0,
                     out_features=["stage1", "stage2", "stage3", "stage4"]), [(50, 75), (64, 64), (1, 1)]),
    "window7": (dict(embed_dim=24, depths=[2, 2, 2, 2], num_heads=[3, 6, 12, 24], window_size=7, layer_norm_eps=1e-3,
                     out_indices=[1, 2, 3, 4]), [(72, 59), (28, 113)]),
    "deep": (dict(embed_dim=32, depths=[1, 3, 2, 1], num_heads=[4, 4, 8, 8], window_size=5, patch_size=3,
                  qkv_bias=False, hidden_act="relu", out_indices=[2, 4]), [(61, 40)]),
    "small": (dict(embed_dim=16, depths=[1, 2], num_heads=[2, 4], window_size=3, mlp_ratio=1.5,
                   out_features=["stage1", "stage2"]), [(37, 50)]),
}


def numbers(name, count):
    """-1..1 in steps of 2^-23, the same for a name everywhere."""
    x = np.uint32(zlib.crc32(name.encode())) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    x = x ^ (x >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -23) - np.float32(1)


def weight(name, shape):
    x = numbers(name, int(np.prod(shape))).reshape(tuple(shape))
    if "norm" in name:
        x = np.float32(name.endswith("weight")) + np.float32(0.125) * x
    elif not name.endswith("table"):
        x = np.float32(0.25) * x
    return torch.from_numpy(x)


def original_names(weights):
    """transformers' weights by the names of the original repository, where queries, keys and values are one."""
    pairs = [("embeddings.patch_embeddings.projection", "patch_embed.proj"), ("embeddings.norm", "patch_embed.norm"),
             ("encoder.layers", "layers"), ("layernorm_before", "norm1"), ("layernorm_after", "norm2"),
             ("attention.self.relative_position_bias_table", "attn.relative_position_bias_table"),
             ("attention.output.dense", "attn.proj"), ("intermediate.dense", "mlp.fc1"), ("output.dense", "mlp.fc2"),
             ("hidden_states_norms.stage1", "norm0"), ("hidden_states_norms.stage2", "norm1")]
    out = {}
    for name, w in weights.items():
        if ".key." in name or ".value." in name:
            continue
        new = name
        for a, b in pairs:
            new = new.replace(a, b)
        if ".query." in name:
            new = new.replace("attention.self.query", "attn.qkv")
            w = torch.cat([weights[name.replace(".query.", f".{part}.")] for part in ("query", "key", "value")])
        out[PREFIX + new] = w
    return out


def put(folder, name, tensors, limit):
    path = os.path.join(folder, name)
    save_file({k: v.float().contiguous() for k, v in tensors.items()}, path, metadata={"format": "pt"})
    kb = os.path.getsize(path) / 1000
    assert kb <= limit, f"{path} has {kb:.0f} KB"
    print(f"{path}: {len(tensors)} tensors, {kb:.0f} KB")


@torch.no_grad()
def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden")
    folder = os.path.join(root, "swin")
    os.makedirs(folder, exist_ok=True)
    golden = {}
    for case, (said, sizes) in CASES.items():
        with open(os.path.join(folder, case + ".json"), "w") as f:
            json.dump(said, f, indent=1)
            f.write("\n")
        model = SwinBackbone(SwinConfig(**said)).double().eval()
        weights = {n: weight(n, p.shape) for n, p in model.named_parameters()}
        for n, p in model.named_parameters():
            p.copy_(weights[n].double())
        for high, wide in sizes:
            pixels = torch.from_numpy(numbers("pixels", 3 * high * wide)).reshape(1, 3, high, wide)
            maps = model(pixels.double()).feature_maps
            for stage, x in zip(model.out_features, maps):
                name = f"{case}.{high}x{wide}.{stage}"
                golden[name] = x[0].permute(1, 2, 0)
                plain = x - x.mean(1, keepdim=True)
                assert plain.abs().max() > 0.5, name
        if case == "small":
            put(folder, "original.safetensors", original_names(weights), 100)
    put(folder, "golden.safetensors", golden, 250)


if __name__ == "__main__":
    main()
