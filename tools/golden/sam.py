#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/{sam_hf,sam_original}: random-weight miniatures of Segment Anything and what transformers'
SamModel and SamProcessor make of pictures and prompts. See README.md beside this file.

Weights are rounded to float32 first; the reference then computes in float64 (save where transformers itself drops to
float32).

    sam.py [FOLDER]        # default: tests/golden of this tree
"""
import json
import os
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)

EITHER = 2  # a mask's pixel that rounding decides


def randomise(model, seed):
    """Seeded weights, large enough that every part shows in the output; float32 values held as float64."""
    g = torch.Generator().manual_seed(seed)
    model.double()
    for name, p in sorted(model.state_dict().items()):
        if name.startswith("prompt_encoder.shared_embedding"):
            continue  # is shared_image_embedding
        r = torch.randn(p.shape, generator=g, dtype=torch.float64)
        if "norm" in name:
            r = r * 0.1 + (1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            r *= 0.1
        elif "positional_embedding" in name or "token" in name or "rel_pos" in name:
            r *= 0.5
        else:
            r *= 0.25
        p.copy_(r.float().double())
    return model.eval()


def picture(width, height, seed):
    """Soft blobs with some noise: [height,width,3] uint8."""
    g = np.random.default_rng(seed)
    small = g.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    big = np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC)).astype(int)
    return (big + g.integers(-12, 13, big.shape)).clip(0, 255).astype(np.uint8)


def rows(x):
    """[n,C,H,W] -> [H*W,C] of the first."""
    return x[0].permute(1, 2, 0).reshape(-1, x.shape[1])


def put_masks(out, name, logits, processor, inputs, shown):
    """The masks of the chosen answers in the picture's size; where rounding decides, EITHER."""
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    full = processor.image_processor.post_process_masks([logits.float()], *sizes, binarize=False)[0]
    mask = (full > 0).to(torch.uint8)
    mask[full.abs() < 1e-4 * full.abs().max()] = EITHER
    assert (mask == EITHER).float().mean() < 0.01
    out[name + ".pixels"] = mask[:, shown]
    out[name + ".shown"] = torch.tensor(shown, dtype=torch.int32)


def prompt_case(model, processor, image, features, out, name, points=None, labels=None, boxes=None, mask=None,
                shown=(0,)):
    """points [n,k,2], labels [n,k], boxes [n,4] in px of the picture; mask [low,low] logits."""
    inputs = processor(Image.fromarray(image), input_points=[points] if points else None,
                       input_labels=[labels] if labels else None, input_boxes=[boxes] if boxes else None,
                       return_tensors="pt")
    said = {k: inputs[k] for k in ("input_points", "input_labels", "input_boxes") if k in inputs}
    said = {k: v.double() if v.is_floating_point() else v for k, v in said.items()}
    if mask is not None:
        said["input_masks"] = mask[None, None].double()
    three = model(image_embeddings=features, multimask_output=True, **said)
    one = model(image_embeddings=features, multimask_output=False, **said)
    logits = torch.cat([one.pred_masks, three.pred_masks], 2)[0]      # [n,4,low,low]
    scores = torch.cat([one.iou_scores, three.iou_scores], 2)[0]      # [n,4]
    sparse, dense = model.prompt_encoder(said.get("input_points"), said.get("input_labels"),
                                         said.get("input_boxes"), said.get("input_masks"))
    assert (logits > 0).any() and (logits < 0).any()
    assert scores[:, 1:].topk(2).values.diff().abs().min() > 1e-3, "the best score is too close to call"
    if points:
        out[name + ".points"] = torch.tensor(points, dtype=torch.float32)
        out[name + ".labels"] = torch.tensor(labels, dtype=torch.int32)
    if boxes:
        out[name + ".boxes"] = torch.tensor(boxes, dtype=torch.float32)
    if mask is not None:
        out[name + ".mask"] = mask.clone()
        out[name + ".dense"] = rows(dense)
    if points or boxes:
        out[name + ".sparse"] = sparse[0]
    out[name + ".logits"] = logits
    out[name + ".scores"] = scores
    put_masks(out, name, logits, processor, inputs, list(shown))


def picture_case(model, processor, image, out, name, every_layer):
    inputs = processor(Image.fromarray(image), return_tensors="pt")
    pixels = inputs["pixel_values"].double()
    seen = model.vision_encoder(pixels, output_hidden_states=True)
    out[name + ".image"] = torch.from_numpy(image)
    for i, h in enumerate(seen.hidden_states):  # 0: squares and positions
        if every_layer or i == 0:
            out[f"{name}.hidden.{i}"] = h[0].reshape(-1, h.shape[-1])
    out[name + ".features"] = rows(seen.last_hidden_state)
    return seen.last_hidden_state


def processor_of(size):
    square = {"height": size, "width": size}
    low = {"height": size // 2, "width": size // 2}
    return SamProcessor(SamImageProcessor(size={"longest_edge": size}, mask_size={"longest_edge": size // 2},
                                          pad_size=square, mask_pad_size=low))


def put(folder, name, tensors, limit):
    tensors = {k: (t.float() if t.dtype == torch.float64 else t).detach().contiguous() for k, t in tensors.items()}
    path = os.path.join(folder, name)
    save_file(tensors, path, metadata={"format": "pt"})
    kb = os.path.getsize(path) / 1000
    assert kb <= limit, f"{path} has {kb:.0f} KB"
    print(f"{path}: {len(tensors)} tensors, {kb:.0f} KB")


def put_json(folder, name, value, dropped=()):
    for key in ("transformers_version", "_name_or_path", *dropped):
        value.pop(key, None)
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


@torch.no_grad()
def make_hf(root):
    """transformers' layout: 8 x 8 places in windows of 3, global blocks 1 and 3; a wide and a tall picture."""
    folder = os.path.join(root, "sam_hf")
    os.makedirs(folder, exist_ok=True)
    config = SamConfig(
        dict(hidden_size=32, output_channels=16, num_hidden_layers=4, num_attention_heads=2, image_size=64,
             patch_size=8, window_size=3, global_attn_indexes=[1, 3], num_pos_feats=8, mlp_dim=48),
        dict(hidden_size=16, image_size=64, patch_size=8, mask_input_channels=8),
        dict(hidden_size=16, mlp_dim=24, num_attention_heads=2, num_multimask_outputs=3, iou_head_hidden_dim=12))
    model, processor = randomise(SamModel(config), 51), processor_of(64)
    state = model.state_dict()
    state.pop("prompt_encoder.shared_embedding.positional_embedding")
    put(folder, "model.safetensors", state, 240)
    config.architectures = ["SamModel"]
    put_json(folder, "config.json", config.to_diff_dict())
    put_json(folder, "preprocessor_config.json", processor.image_processor.to_dict())
    out = {}
    wide, tall = picture(93, 61, 1), picture(29, 47, 2)
    features = picture_case(model, processor, wide, out, "wide", True)
    case = lambda name, **prompt: prompt_case(model, processor, wide, features, out, "wide." + name, **prompt)
    case("point", points=[[[40, 31]]], labels=[[1]], shown=(0, 1, 2, 3))
    case("box", boxes=[[10.5, 4, 80, 55.25]])
    features = picture_case(model, processor, tall, out, "tall", False)
    case = lambda name, **prompt: prompt_case(model, processor, tall, features, out, "tall." + name, **prompt)
    case("both", points=[[[5, 7], [20, 40]], [[28, 0], [1.5, 46]]], labels=[[1, 0], [1, 1]],
         boxes=[[2, 3, 15, 20], [0, 0, 29, 47]])
    put(folder, "golden.safetensors", out, 200)


def original_name(name):
    """transformers' names -> the original repository's."""
    pairs = [("vision_encoder", "image_encoder"), ("image_encoder.layers", "image_encoder.blocks"),
             ("patch_embed.projection", "patch_embed.proj"), ("layer_norm_final", "norm_final"),
             ("neck.conv1", "neck.0"), ("neck.layer_norm1", "neck.1"), ("neck.conv2", "neck.2"),
             ("neck.layer_norm2", "neck.3"), ("mask_embed.conv1", "mask_downscaling.0"),
             ("mask_embed.layer_norm1", "mask_downscaling.1"), ("mask_embed.conv2", "mask_downscaling.3"),
             ("mask_embed.layer_norm2", "mask_downscaling.4"), ("mask_embed.conv3", "mask_downscaling.6"),
             ("upscale_conv1", "output_upscaling.0"), ("upscale_layer_norm", "output_upscaling.1"),
             ("upscale_conv2", "output_upscaling.3"), (".layer_norm", ".norm"),
             (".point_embed.", ".point_embeddings."),
             ("shared_image_embedding.positional_embedding",
              "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix")]
    for a, b in pairs:
        name = name.replace(a, b)
    if "hypernetworks" in name or "iou_prediction" in name:
        name = name.replace("layers.0", "layers.1").replace("proj_in", "layers.0").replace("proj_out", "layers.2")
    return name


@torch.no_grad()
def make_original(root):
    """The original's names and no configuration: 6 x 6 places in windows of 4, block 2 global, eight decoder heads,
    epsilons as the original has them; an odd picture larger than the square, and every kind of prompt."""
    folder = os.path.join(root, "sam_original")
    os.makedirs(folder, exist_ok=True)
    config = SamConfig(
        dict(hidden_size=24, output_channels=16, num_hidden_layers=3, num_attention_heads=3, image_size=72,
             patch_size=12, window_size=4, global_attn_indexes=[2], num_pos_feats=8, mlp_ratio=2),
        dict(hidden_size=16, image_size=72, patch_size=12, mask_input_channels=16),
        dict(hidden_size=16, mlp_dim=20, num_attention_heads=8, num_multimask_outputs=3, iou_head_hidden_dim=10,
             layer_norm_eps=1e-5))
    model, processor = randomise(SamModel(config), 52), processor_of(72)
    state = model.state_dict()
    state.pop("prompt_encoder.shared_embedding.positional_embedding")
    put(folder, "model.safetensors", {original_name(k): t for k, t in state.items()}, 220)
    out = {}
    odd, square = picture(101, 75, 3), picture(33, 33, 4)
    features = picture_case(model, processor, odd, out, "odd", True)
    case = lambda name, **prompt: prompt_case(model, processor, odd, features, out, "odd." + name, **prompt)
    low = torch.randn(24, 24, generator=torch.Generator().manual_seed(5)) * 4
    case("points", points=[[[50, 20], [3, 70], [99, 74.5]]], labels=[[1, 0, 1]])
    case("mask", mask=low)
    case("all", points=[[[64, 12]]], labels=[[0]], boxes=[[20, 10, 90, 70]], mask=low, shown=(0, 2))
    features = picture_case(model, processor, square, out, "square", False)
    case = lambda name, **prompt: prompt_case(model, processor, square, features, out, "square." + name, **prompt)
    case("boxes", boxes=[[0, 0, 32, 32], [4, 6, 9, 30], [11, 11, 22, 22]])
    put(folder, "golden.safetensors", out, 200)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "tests", "golden")
    for make in (make_hf, make_original):
        make(os.path.normpath(root))
