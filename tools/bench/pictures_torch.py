#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PyTorch's part of pictures.py: times one encoder of random weights and prints JSON.
usage: pictures_torch.py clip|sam-b|sam-h FOLDER f32|bf16 eager|compiled THREADS RUNS"""
import json
import resource
import sys
import time

import torch


class Seeing(torch.nn.Module):
    """LLaVA-1.5's: all blocks but the last of CLIP's vision transformer, and a projector of two layers."""

    def __init__(self, width=2048):
        super().__init__()
        from transformers import CLIPVisionConfig, CLIPVisionModel
        self.clip = CLIPVisionModel(CLIPVisionConfig(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23,
                                                     num_attention_heads=16, image_size=336, patch_size=14,
                                                     attn_implementation="sdpa"))
        self.project = torch.nn.Sequential(torch.nn.Linear(1024, width), torch.nn.GELU(), torch.nn.Linear(width, width))

    def forward(self, pixels):
        return self.project(self.clip(pixels).last_hidden_state[:, 1:])


def main():
    what, folder, kind, mode, threads, runs = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[kind]
    decode = None
    if what == "clip":
        encode, pixels = Seeing().eval().to(dtype), torch.randn(1, 3, 336, 336).to(dtype)
    else:
        from transformers import SamModel
        sam = SamModel.from_pretrained(folder, torch_dtype=dtype).eval()
        encode, pixels = sam.vision_encoder, torch.randn(1, 3, 1024, 1024).to(dtype)
        decode = lambda seen: sam(image_embeddings=seen, input_points=torch.tensor([[[[500.0, 375.0]]]]).to(dtype))
    if mode == "compiled":
        encode = torch.compile(encode)
    times, clicks, seen = [], [], encode(pixels)
    for _ in range(int(runs)):
        start = time.perf_counter()
        seen = encode(pixels)
        times.append(1000 * (time.perf_counter() - start))
    for _ in range(6 if decode else 0):
        start = time.perf_counter()
        decode(seen[0])
        clicks.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"encode_ms": times, "click_ms": clicks[1:],
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


main()
