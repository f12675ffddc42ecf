#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes models/llava-plus-nano-sam-v1: a small Segment Anything of sticker scenes, trained from nothing.

The network is transformers' SamModel; the losses are the paper's (Kirillov et al. 2023, arXiv:2304.02643, appendix A):
20 focal + 1 dice for a mask, of a click's three answers only for the best one, and squared error for the scores, which
counts five times, as a click's answer is chosen by them. Every picture is seen once a step and asked about PROMPTS of its
things in two rounds: a click on each, anywhere or on its innermost pixel, as people aim; its box, a little off; every
third step in a third one: the click again with a second one where the first answer was wrong, with or without that
answer's mask. It learns in squares of 16 px what things are, which is quick, then in squares of 8 where they end.

    llava-plus data scenes --count 20000 --seed 7001 --out SCENES
    sam.py SCENES COARSE --patch 16 --steps 4200
    sam.py SCENES MODEL --begin COARSE     # each goes on from its folder's checkpoint.pt where there is one

Needs torch, transformers, safetensors, numpy, scipy, Pillow and pycocotools.
"""
import argparse
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pycocotools import mask as rle
from scipy.ndimage import distance_transform_edt
from transformers import SamConfig, SamImageProcessor, SamModel

from learning import train

SIDE, WIDTH, CHANNELS = 256, 128, 96           # px, of the encoder, of its features
PICTURES, PROMPTS = 4, 4                       # a step; of each picture in each round
WARM = 100                                     # steps
FIRST = 500  # steps in which inside and outside weigh the same: else all masks stay empty for long
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def config(patch):
    vision = dict(hidden_size=WIDTH, output_channels=CHANNELS, num_hidden_layers=5, num_attention_heads=WIDTH // 32,
                  image_size=SIDE, patch_size=patch, mlp_dim=4 * WIDTH, window_size=128 // patch, global_attn_indexes=[2],
                  num_pos_feats=CHANNELS // 2, use_abs_pos=False)
    prompt = dict(hidden_size=CHANNELS, image_size=SIDE, patch_size=patch, mask_input_channels=16)
    decoder = dict(hidden_size=CHANNELS, mlp_dim=4 * CHANNELS, num_hidden_layers=2, num_attention_heads=4,
                   iou_head_hidden_dim=CHANNELS)
    return SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)


def fresh(patch):
    """Weights as the original draws them, which are PyTorch's; but places' codes mix coarse and fine."""
    model = SamModel(config(patch))
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    scale = torch.logspace(-2, 1, CHANNELS // 2, 2)
    model.shared_image_embedding.positional_embedding.copy_(scale * torch.randn(2, CHANNELS // 2))
    return model


def finer(coarse, patch):
    """The weights of a model with larger squares: its patches' kernel and its distances' tables are resized."""
    model = fresh(patch)
    kept = coarse.state_dict()
    for name, weight in model.state_dict().items():
        old = kept[name].float()
        if "patch_embed" in name and weight.ndim == 4:
            old = F.adaptive_avg_pool2d(old, patch) * (old.shape[-1] / patch) ** 2
        elif "rel_pos" in name:
            old = F.interpolate(old.T.unsqueeze(0), len(weight), mode="linear").squeeze(0).T
        weight.copy_(old)
    return model


def click_on(mask, g):
    """x, y of its innermost pixel, every other time of any."""
    inside = np.argwhere(mask)
    if g.integers(2):
        return inside[g.integers(len(inside))][::-1].copy()
    (top, left), (bottom, right) = inside.min(0), inside.max(0)
    depth = distance_transform_edt(np.pad(mask[top:bottom + 1, left:right + 1], 1))
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return np.array([left + x - 1, top + y - 1])


class Scenes:
    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "instances.json")) as f:
            truth = json.load(f)
        self.name = {i["id"]: i["file_name"] for i in truth["images"]}
        self.things = {}
        for a in truth["annotations"]:
            self.things.setdefault(a["image_id"], []).append((a["segmentation"], a["bbox"]))
        self.of_each = np.array([a["image_id"] for a in truth["annotations"]])

    def batch(self, g):
        """pixels [B,3,S,S], masks [B,P,S,S] of 0 and 1, clicks [B,P,2], boxes [B,P,4] in px."""
        pixels, masks, clicks, boxes = [], [], [], []
        for i in g.choice(self.of_each, PICTURES):  # the more things, the more often
            pixels.append(np.asarray(Image.open(os.path.join(self.folder, self.name[i])).convert("RGB")))
            for t in g.integers(0, len(self.things[i]), PROMPTS):
                segmentation, (x, y, w, h) = self.things[i][t]
                mask = rle.decode(segmentation)
                off = g.normal(0, g.uniform(0, 0.1), 4) * (w, h, w, h)
                masks.append(mask)
                clicks.append(click_on(mask, g))
                boxes.append(np.clip(np.array([x, y, x + w, y + h]) + off, 0, SIDE))
        pixels = (torch.tensor(np.stack(pixels)) / 255 - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
        of_each = [torch.tensor(np.stack(x)).float().unflatten(0, (PICTURES, PROMPTS)) for x in (masks, clicks, boxes)]
        return pixels.permute(0, 3, 1, 2), *of_each


def answer(model, features, three, points=None, labels=None, boxes=None, masks=None):
    """features [B,O,s,s], points [B,P,k,2] and so on -> logits [B,P,answers,M,M], scores [B,P,answers]."""
    sparse, dense = model.prompt_encoder(points, labels, boxes, masks)
    places = model.get_image_wide_positional_embeddings().expand(len(features), -1, -1, -1)
    return model.mask_decoder(features, places, sparse, dense, three)[:2]


def overlap(logits, truth):
    inside, real = logits > 0, truth >= 0.5
    return (inside & real).sum((-1, -2)) / (inside | real).sum((-1, -2)).clamp(min=1)


def mask_loss(logits, truth, first):
    """Both [..,M,M], truth 0..1: how much of the pixel is inside -> [..]."""
    p = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    if first:
        share = truth.mean((-1, -2), keepdim=True).clamp(0.01, 0.99)
        entropy = entropy * (truth / share + (1 - truth) / (1 - share)) / 2
    else:
        entropy = 20 * entropy * (truth + p - 2 * truth * p) ** 2 / 2
    dice = 1 - (2 * (p * truth).sum((-1, -2)) + 1) / (p.sum((-1, -2)) + truth.sum((-1, -2)) + 1)
    return entropy.mean((-1, -2)) + dice


def judge(logits, scores, truth, first):
    """The loss of the best answer and of all scores; the overlap of the answer with the highest score."""
    truth = truth.unsqueeze(2).expand_as(logits)
    right = overlap(logits, truth)
    loss = mask_loss(logits, truth, first).min(-1).values.mean() + 5 * F.mse_loss(scores, right)
    return loss, right.gather(-1, scores.argmax(-1, keepdim=True)).mean()


def correction(logits, truth, g):
    """logits, truth [N,M,M] -> a point [N,2] in px where they differ, or anywhere where they do not; its label [N]."""
    points, labels, M = [], [], truth.shape[-1]
    for inside, real in zip((logits > 0).numpy(), (truth >= 0.5).numpy()):
        at = np.argwhere(inside != real)
        y, x = at[g.integers(len(at))] if len(at) else g.integers(M, size=2)
        points.append(((x + 0.5) * SIDE / M - 0.5, (y + 0.5) * SIDE / M - 0.5))
        labels.append(int(real[y, x]))
    return torch.tensor(points).float(), torch.tensor(labels)


def step_loss(model, batch, g, first, again):
    pixels, masks, clicks, boxes = batch
    features = model.vision_encoder(pixels)[0]
    M = 4 * features.shape[-1]
    truth = F.adaptive_avg_pool2d(masks, M)
    ones = torch.ones(PICTURES, PROMPTS, 1, dtype=torch.long)
    logits, scores = answer(model, features, True, clicks.unsqueeze(2), ones)
    click_loss, click = judge(logits, scores, truth, first)
    box_loss, box = judge(*answer(model, features, False, boxes=boxes), truth, first)
    if not again:
        return click_loss + box_loss, click, box

    N = PICTURES * PROMPTS
    best = scores.argmax(-1).view(N)
    seen = logits.detach().view(N, -1, M, M)[torch.arange(N), best]
    point, label = correction(seen, truth.view(N, M, M), g)
    points = torch.stack([clicks.view(N, 2), point], 1).unsqueeze(1)
    labels = torch.stack([ones.view(N), label], 1).unsqueeze(1)
    corrected = answer(model, features.repeat_interleave(PROMPTS, 0), False, points, labels,
                       masks=seen.unsqueeze(1) if g.integers(2) else None)
    return click_loss + box_loss + judge(*corrected, truth.view(N, 1, M, M), first)[0], click, box


def rate_at(step, steps):
    """Of the highest: a short rise, then down along a cosine."""
    return min(1, (step + 1) / WARM) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def save(model, folder):
    """As transformers saves a SamModel, in float16: half the bytes."""
    model.half().save_pretrained(folder)
    model.float()
    square = {"height": SIDE, "width": SIDE}
    M = 4 * SIDE // model.config.vision_config.patch_size
    SamImageProcessor(size={"longest_edge": SIDE}, mask_size={"longest_edge": M}, pad_size=square,
                      mask_pad_size={"height": M, "width": M}).save_pretrained(folder)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("scenes", help="a folder that `data scenes` wrote, of 256 px")
    p.add_argument("model", help="the folder for the model and checkpoint.pt")
    p.add_argument("--patch", type=int, default=8, help="px of the encoder's squares (default 8)")
    p.add_argument("--begin", help="a model of larger squares whose weights are the first ones")
    p.add_argument("--steps", type=int, default=3350, help="(default 3350)")
    said = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    os.makedirs(said.model, exist_ok=True)
    model = finer(SamModel.from_pretrained(said.begin), said.patch) if said.begin else fresh(said.patch)
    scenes = Scenes(said.scenes)
    first, most = (0, 0.5) if said.begin else (FIRST, 1)  # weights that know much already move half as fast
    train(model, said.model, said.steps, lambda step: most * rate_at(step, said.steps),
          lambda step, g: step_loss(model, scenes.batch(g), g, step < first, step % 3 == 0), ("click", "box"))
    save(model, said.model)


if __name__ == "__main__":
    main()
