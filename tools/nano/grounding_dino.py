#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes models/llava-plus-nano-grounding-dino-v1: a small Grounding DINO of sticker scenes.

The network is transformers' GroundingDinoForObjectDetection (Liu et al. 2023, arXiv:2303.05499). As the paper's picture
backbone was trained to name pictures first, this one begins as the planner's picture encoder (planner_eyes.py); all else is
drawn. It learns in two parts:

1. FIRST steps of the two backbones alone. Every place of the picture's maps says which of all names is there, or none
   (cross entropy over all names and 0), and where the thing's box is; in the first ALIKE steps also what the planner's
   encoder makes of the place (squared error).
2. The whole network. Captions name some things of the picture and others that are not there. The losses are the paper's:
   2 focal over tokens + 5 L1 + 2 GIoU of boxes, for each layer of the decoder after Hungarian matching, in the first
   with several queries for a thing; for the encoder's choice every place answers for the thing it is on, which tells
   more than one place a thing, the surer the nearer it is to the thing's middle.

In both parts the words of a thing are drawn to its name, by text alone; those of held_out_words.py stand in no
caption and name nothing in part 1.

    llava-plus data scenes --count 20000 --seed 7001 --out SCENES
    grounding_dino.py SCENES MODEL [--steps N] [--first N]        # goes on from MODEL/checkpoint.pt where there is one

Needs torch, transformers, safetensors, numpy, scipy, Pillow and pycocotools.
"""
import argparse
import itertools
import json
import math
import os
import string

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pycocotools import mask as rle
from scipy.optimize import linear_sum_assignment
from transformers import (BertConfig, BertTokenizerFast, GroundingDinoConfig, GroundingDinoForObjectDetection,
                          GroundingDinoImageProcessor)
from transformers.image_transforms import center_to_corners_format as corners

from held_out_words import HELD_OUT
from learning import train
from planner_eyes import Eyes

SIDE, STRIDES, CHANNELS, QUERIES = 192, (16, 32), 128, 40       # px, px, of all but the picture's backbone, boxes a picture
LAYERS, SETTLED = 7, 4                                          # of the picture's backbone; of these, only part 1 changes
PICTURES = (32, 24)                                             # a step, in each part
ALIKE = 300                                                     # steps
WARM = 100                                                      # steps
ANSWERS = (4, 1, 1)                                             # queries a thing, in each layer of the decoder
SHARE = 0.8                                                     # of two boxes' union: the skill keeps only the surer one
NAMES = 80                                                      # in a caption at most
TOKENS = 256
PRIOR = 4                                                       # logits begin about -PRIOR
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COLORS = "red orange yellow green blue purple pink brown black white gray".split()


# ---- words ----

def words_of(category):
    return [category["name"], category["plural"], *category["synonyms"]]


def tokenizer(categories, folder):
    """BERT's, with words of scenes and letters. Its special tokens have bert-base-uncased's ids, which Grounding DINO knows."""
    fixed = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
    known = sorted({w for c in categories for name in words_of(c) for w in name.replace("'", " ").replace("-", " ").split()}
                   | set(COLORS))
    pieces = [*string.ascii_lowercase, *string.digits, *"!\"#$%&'()*+,-/:;<=>@[\\]^_`{|}~"]
    words = [*pieces, *("##" + p for p in pieces[:36]), *(w for w in known if len(w) > 1)]
    table = fixed | dict(zip((i for i in itertools.count() if i not in fixed), words))
    vocabulary = [table.get(i, f"[unused{i}]") for i in range(max(table) + 1)]
    path = os.path.join(folder, "vocab.txt")
    with open(path, "w") as f:
        f.write("".join(w + "\n" for w in vocabulary))
    return BertTokenizerFast(path, model_max_length=TOKENS)


class Words:
    """ids of every word for every category: [0] its name, and how often captions use each."""

    def __init__(self, categories, tokens):
        self.tokens = tokens
        self.stop, self.begin, self.end = 1012, tokens.cls_token_id, tokens.sep_token_id
        names = [list(dict.fromkeys(words_of(c))) for c in categories]
        unknown = set(HELD_OUT) - {w for n in names for w in n}
        assert not unknown, f"HELD_OUT has words of no thing: {unknown}"
        self.ids = [[self.read(w) for w in n] for n in names]
        self.said = [[i for i, w in enumerate(n) if w not in HELD_OUT] for n in names]
        self.hidden = [i for i, n in enumerate(names) if set(n) & set(HELD_OUT)]

    def read(self, text):
        return self.tokens(text, add_special_tokens=False)["input_ids"]

    def pick(self, category, g):
        """One that captions may use; its name as often as all others."""
        said = self.said[category]
        return self.ids[category][0 if len(said) == 1 or g.random() < 0.5 else said[g.integers(1, len(said))]]


# ---- pictures ----

class Scenes:
    """A folder of `data scenes`; its pictures at SIDE px and what is at each place are kept in `cache`."""

    def __init__(self, folder, cache):
        with open(os.path.join(folder, "instances.json")) as f:
            truth = json.load(f)
        self.categories = truth["categories"]
        index = {c["id"]: i for i, c in enumerate(self.categories)}
        self.things = {i["id"]: [] for i in truth["images"]}
        for a in truth["annotations"]:
            self.things[a["image_id"]].append(a)
        pictures = [i for i in truth["images"] if self.things[i["id"]]]
        self.things = [self.things[i["id"]] for i in pictures]
        self.kind = [np.array([index[a["category_id"]] for a in t]) for t in self.things]
        self.color = [[a.get("attributes", {}).get("color") for a in t] for t in self.things]
        self.box = [box_of(np.array([a["bbox"] for a in t]), i) for t, i in zip(self.things, pictures)]
        pixels, places = os.path.join(cache, "pixels.npy"), os.path.join(cache, "places.npy")
        if not os.path.exists(places):
            self.prepare(folder, pictures, pixels, places)
        self.pixels, self.places = np.load(pixels, mmap_mode="r"), np.load(places)
        del self.things

    def prepare(self, folder, pictures, pixels, places):
        seen = np.lib.format.open_memmap(pixels, "w+", np.uint8, (len(pictures), SIDE, SIDE, 3))
        here = []
        for i, picture in enumerate(pictures):
            with Image.open(os.path.join(folder, picture["file_name"])) as image:
                seen[i] = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))
            here.append(owners(self.things[i]))
        seen.flush()
        np.save(places, np.stack(here))

    def batch(self, n, g):
        """Numbers of n pictures, half of them mirrored; pixels [n,3,S,S] 0..1, boxes [n] of [things,4], places [n,P]."""
        chosen, mirrored = g.integers(0, len(self.pixels), n), g.random(n) < 0.5
        pixels, boxes, places = [], [], []
        for i, mirror in zip(chosen, mirrored):
            box, here = self.box[i].copy(), self.places[i]
            if mirror:
                box[:, 0] = 1 - box[:, 0]
                here = np.concatenate([x.reshape(SIDE // s, -1)[:, ::-1].ravel() for x, s in zip(split(here), STRIDES)])
            pixels.append(self.pixels[i, :, ::-1] if mirror else self.pixels[i])
            boxes.append(torch.tensor(box).float())
            places.append(here)
        return chosen, torch.tensor(np.stack(pixels)).permute(0, 3, 1, 2) / 255, boxes, torch.tensor(np.stack(places)).long()


def prepared(pixels):
    """[B,3,S,S], 0..1 -> as the network has them."""
    return (pixels - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]


def split(places):
    """What belongs to each map, of something for all places."""
    return np.split(places, np.cumsum([(SIDE // s) ** 2 for s in STRIDES])[:-1])


def box_of(xywh, picture):
    """px -> centre and size, 0..1."""
    size = np.array([picture["width"], picture["height"]])
    return np.concatenate([xywh[:, :2] + xywh[:, 2:] / 2, xywh[:, 2:]], 1) / np.tile(size, 2)


def owners(things):
    """The thing, or -1, at the middle of every place: on the coarse map before its parts, on the others behind them."""
    here = []
    for stride in STRIDES:
        there = np.full((SIDE // stride, SIDE // stride), -1)
        of_part = [(t.get("part_of") is not None) != (stride == STRIDES[-1]) for t in things]
        for i in sorted(range(len(things)), key=lambda i: of_part[i]):
            mask = rle.decode(things[i]["segmentation"])
            y, x = ((np.arange(SIDE // stride) + 0.5) * stride * np.array(mask.shape)[:, None] / SIDE).astype(int)
            there[mask[y[:, None], x[None]] > 0] = i
        here.append(there.ravel())
    return np.concatenate(here).astype(np.int16)


class Captions:
    """For pictures of one batch: ids [B,T], there [B,T], and the tokens for each thing, wanted[b] [things,T] of 0 and 1."""

    def __init__(self, words, scenes, chosen, g):
        most = round(math.exp(g.uniform(0, math.log(NAMES + 0.5))))
        rows = [self.caption(words, scenes.kind[i], scenes.color[i], most, g) for i in chosen]
        T = max(len(ids) for ids, _ in rows)
        self.ids = torch.zeros(len(rows), T, dtype=torch.long)
        self.wanted = []
        for b, (ids, spans) in enumerate(rows):
            self.ids[b, :len(ids)] = torch.tensor(ids)
            wanted = torch.zeros(len(scenes.kind[chosen[b]]), T)
            for start, end, things in spans:
                wanted[things, start:end] = 1
            self.wanted.append(wanted)
        self.there = self.ids != 0

    @staticmethod
    def caption(words, kinds, colors, most, g):
        present, named = list(g.permutation(np.unique(kinds))), g.uniform(0.2, 1.2)
        present = [k for k in present[:most] if g.random() < named]
        absent = g.permutation(np.setdiff1d(np.arange(len(words.ids)), kinds))[:most - len(present)]
        ids, spans = [words.begin], []
        for k in g.permutation(np.concatenate([present, absent]).astype(int)):
            things = np.flatnonzero(kinds == k)
            phrase, have = list(words.pick(k, g)), {colors[t] for t in things}
            if g.random() < 0.1 and None not in have:  # a colour: one that is there, if the thing is
                color = COLORS[g.integers(len(COLORS))] if not have or g.random() < 0.3 else sorted(have)[0]
                phrase = words.read(color) + phrase
                things = np.array([t for t in things if colors[t] == color], int)
            elif g.random() < 0.02:  # no word at all
                phrase = words.read("".join(g.choice(list(string.ascii_lowercase), g.integers(3, 8))))
                things = things[:0]
            if len(ids) + len(phrase) + 2 > TOKENS:
                break
            spans.append((len(ids), len(ids) + len(phrase), things))
            ids += [*phrase, words.stop]
        return [*ids, words.end], spans


# ---- the model ----

def config(vocabulary, backbone):
    text = BertConfig(vocab_size=vocabulary, hidden_size=CHANNELS, num_hidden_layers=2, num_attention_heads=4,
                      intermediate_size=4 * CHANNELS, max_position_embeddings=TOKENS, hidden_dropout_prob=0.0,
                      attention_probs_dropout_prob=0.0)
    return GroundingDinoConfig(backbone_config=backbone, text_config=text, d_model=CHANNELS, num_queries=QUERIES,
                               num_feature_levels=len(STRIDES), encoder_layers=2, encoder_attention_heads=4,
                               encoder_ffn_dim=4 * CHANNELS, decoder_layers=len(ANSWERS), decoder_attention_heads=4,
                               decoder_ffn_dim=4 * CHANNELS, dropout=0.0, fusion_droppath=0.0, fusion_dropout=0.0,
                               disable_custom_kernels=True)


@torch.no_grad()
def fresh(vocabulary, eyes):
    """Weights as PyTorch draws them; but the picture's backbone has the planner's, and layers behind the backbones begin as
    if they were not there."""
    model = GroundingDinoForObjectDetection(config(vocabulary, eyes.swin_config(LAYERS)))
    for module in model.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)):
            module.reset_parameters()
    m = model.model
    eyes.hand_over(m.backbone.conv_encoder.model, MEAN, DEVIATION)
    for layer in m.encoder.layers:
        quiet(layer.deformable_layer.self_attn.output_proj, layer.deformable_layer.fc2, layer.text_enhancer_layer.fc2,
              layer.text_enhancer_layer.self_attn.out_proj)
        layer.fusion_layer.vision_param.fill_(0.02)
        layer.fusion_layer.text_param.fill_(0.02)
        layer.deformable_layer.self_attn._reset_parameters()
        quiet(layer.deformable_layer.self_attn.output_proj)
    quiet(m.encoder_output_bbox_embed.layers[-1], model.bbox_embed[0].layers[-1])
    m.encoder_output_bbox_embed.layers[-1].bias.copy_(torch.tensor([0, 0, 1.5, 1.5]))  # things are larger than a place
    # a logit is a product of two norms: small at first, and one channel of both keeps it about -PRIOR
    text = m.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    text.weight.fill_(0.15)
    for norm, bias in ((text, PRIOR ** 0.5), (m.enc_output_norm, -PRIOR ** 0.5)):
        norm.weight[0] = 0
        norm.bias[0] = bias
    m.level_embed.normal_(std=0.1)
    return model


def quiet(*layers):
    for layer in layers:
        layer.weight.zero_()
        layer.bias.zero_()


@torch.no_grad()
def hand_over(model):
    """What the encoder's choice has learned of things, the decoder begins with."""
    m = model.model
    for i, layer in enumerate(m.decoder.layers):
        layer.encoder_attn._reset_parameters()
        layer.encoder_attn.value_proj.load_state_dict(m.enc_output.state_dict())
        layer.encoder_attn.output_proj.weight.copy_(torch.eye(CHANNELS))
        quiet(layer.self_attn.out_proj, layer.encoder_attn_text.out_proj, layer.fc2)
        if i == 0:
            layer.self_attn_layer_norm.weight.fill_(0.3)
            layer.encoder_attn_text_layer_norm.weight.fill_(0.3)
    m.decoder.layer_norm.load_state_dict(m.enc_output_norm.state_dict())
    turn = torch.arange(QUERIES)[:, None] / 100 ** torch.linspace(0, 1, CHANNELS // 2)
    m.query_position_embeddings.weight.copy_(torch.cat([turn.sin(), turn.cos()], 1))  # the places come in order of sureness


def settle(model):
    """What the lower layers see is good enough; not to change it saves a third of the time."""
    swin = model.model.backbone.conv_encoder.model
    for part in (swin.embeddings, *swin.encoder.layers[0].blocks[:SETTLED]):
        part.requires_grad_(False)


def read_alone(model, words, phrases):
    """What the backbone makes of phrases, each alone with its full stop -> one [tokens,C] for each."""
    seen = [None] * len(phrases)
    for length in set(map(len, phrases)):
        alike = [i for i, p in enumerate(phrases) if len(p) == length]
        ids = torch.tensor([[*phrases[i], words.stop] for i in alike])
        features = model.model.text_projection(model.model.text_backbone(ids).last_hidden_state[:, :-1])
        for i, one in zip(alike, F.layer_norm(features, (CHANNELS,))):
            seen[i] = one
    return seen


def synonym_loss(model, words, g):
    """Every word of a thing should mean what its name means."""
    kinds = np.union1d(g.integers(0, len(words.ids), 100), words.hidden)
    others = [words.ids[k][g.integers(1, len(words.ids[k]))] if len(words.ids[k]) > 1 else words.ids[k][0] for k in kinds]
    with torch.no_grad():
        names = [x.mean(0) for x in read_alone(model, words, [words.ids[k][0] for k in kinds])]
    others = read_alone(model, words, others)
    return torch.stack([(other - name).square().mean() for name, other in zip(names, others)]).mean()


# ---- losses ----

def generalized_iou(a, b):
    """Of boxes by centre and size, one by one -> iou, giou."""
    a, b = corners(a), corners(b)
    both = (torch.min(a[..., 2:], b[..., 2:]) - torch.max(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    either = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - both
    around = (torch.max(a[..., 2:], b[..., 2:]) - torch.min(a[..., :2], b[..., :2])).prod(-1)
    iou = both / (either + 1e-6)
    return iou, iou - (around - either) / (around + 1e-6)


def box_loss(box, truth):
    return 5 * (box - truth).abs().sum(-1) + 2 * (1 - generalized_iou(box, truth)[1])


def focal(logits, truth):
    p = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return entropy * (truth - p) ** 2 * (0.25 * truth + 0.75 * (1 - truth))


@torch.no_grad()
def match(logits, box, wanted, truth):
    """logits [Q,T], box [Q,4], wanted [n,T], truth [n,4] -> queries [n], things [n]."""
    p = torch.sigmoid(logits)
    cost = 0.25 * (1 - p) ** 2 * -(p + 1e-8).log() - 0.75 * p ** 2 * -(1 - p + 1e-8).log()
    cost = 2 * cost @ (wanted / wanted.sum(-1, keepdim=True)).T + box_loss(box[:, None], truth[None])
    return map(torch.tensor, linear_sum_assignment(cost.numpy()))


def first_loss(model, words, scenes, g, eyes):
    """Part 1 -> the loss; how many of the places on things say rightly what is there; the mean IoU of their boxes.
    eyes: of the planner, to see alike; None to see as suits."""
    m = model.model
    chosen, pixels, boxes, places = scenes.batch(PICTURES[0], g)
    seen = m.backbone.conv_encoder.model(prepared(pixels)).feature_maps[0]
    loss = synonym_loss(model, words, g)
    if eyes:
        loss = loss + (seen.flatten(2).transpose(1, 2) - eyes.see(pixels)).square().mean()
    maps = [project(seen) for project in m.input_proj_vision]  # the second of them goes down to the coarser stride
    shapes = torch.tensor([x.shape[2:] for x in maps])
    seen = torch.cat([x.flatten(2).transpose(1, 2) for x in maps], 1)
    query, proposals = m.generate_encoder_output_proposals(F.layer_norm(seen, (CHANNELS,)),
                                                           torch.zeros(seen.shape[:2], dtype=torch.bool), shapes)
    names = read_alone(model, words, [words.pick(k, g) for k in range(len(words.ids))])
    last = m.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    names = torch.stack([last(x).mean(0) for x in names])
    logits = F.pad(query @ names.T, (1, 0))  # [B,P,1+names]; the first is for "nothing"
    b, p = (places >= 0).nonzero(as_tuple=True)
    thing = places[b, p]
    kind = torch.tensor([scenes.kind[chosen[i]][t] for i, t in zip(b, thing)])
    truth = torch.stack([boxes[i][t] for i, t in zip(b, thing)])
    box = torch.sigmoid(m.encoder_output_bbox_embed(query[b, p]) + proposals[b, p])
    loss = loss + F.cross_entropy(logits[b, p], kind + 1) + F.cross_entropy(logits[places < 0], places[places < 0] + 1)
    loss = loss + box_loss(box, truth).mean() / 2
    right = logits[b, p].argmax(-1) == kind + 1
    return loss, right.float().mean().item(), generalized_iou(box, truth)[0].mean().item()


def layer_loss(logits, boxes, captions, truths, answers):
    """One layer of the decoder: its loss; the sureness and the IoU of what was matched. Boxes that share SHARE with one that
    was matched are not wrong: the skill drops them if they are less sure."""
    wanted, counts = torch.zeros_like(logits), captions.there[:, None].repeat(1, QUERIES, 1)
    found, real, sure = [], [], []
    for b, (tokens, truth) in enumerate(zip(captions.wanted, truths)):
        named = tokens.sum(-1) > 0
        if named.any():
            tokens, truth = tokens[named].repeat(answers, 1), truth[named].repeat(answers, 1)
            query, thing = match(logits[b], boxes[b], tokens, truth)
            wanted[b, query] = tokens[thing]
            with torch.no_grad():
                alike = generalized_iou(boxes[b, :, None], boxes[b, query][None])[0] > SHARE
            counts[b] &= (alike.float() @ tokens[thing] == 0) | (wanted[b] > 0)
            found.append(boxes[b, query])
            real.append(truth[thing])
            sure.append((torch.sigmoid(logits[b, query].detach()) * wanted[b, query]).max(-1).values)
    count = max(1, sum(map(len, found)))
    loss = 2 * (focal(logits, wanted) * counts).sum() / count
    if not found:
        return loss, 0, 0
    found, real = torch.cat(found), torch.cat(real)
    return (loss + box_loss(found, real).sum() / count, torch.cat(sure).mean().item(),
            generalized_iou(found, real)[0].mean().item())


def middles():
    """The middle of every place, 0..1, [P,2] as x, y."""
    maps = []
    for stride in STRIDES:
        at = (torch.arange(SIDE // stride) + 0.5) * stride / SIDE
        maps.append(torch.stack([x.flatten() for x in torch.meshgrid(at, at, indexing="xy")], -1))
    return torch.cat(maps)


def choice_loss(logits, boxes, captions, truths, places):
    """The encoder's choice: each place answers for the thing it is on, if it is named; the surer, the nearer it is to the
    middle of its box. So the QUERIES surest places are of many things."""
    wanted, near = torch.zeros_like(logits), torch.zeros_like(logits[..., 0])
    real = torch.zeros_like(boxes)
    at = middles()
    for b, (tokens, truth) in enumerate(zip(captions.wanted, truths)):
        on = places[b] >= 0
        thing = places[b, on]
        real[b, on] = truth[thing]
        off = (at[on] - truth[thing, :2]).abs() / truth[thing, 2:]   # 0.5 at the border
        close = (1 - 2 * off.max(-1).values).clamp(min=0.01)
        most = torch.zeros(len(truth)).scatter_reduce(0, thing, close, "amax")
        near[b, on] = (close / most[thing]) ** 2 * (tokens.sum(-1) > 0)[thing]
        wanted[b, on] = tokens[thing] * near[b, on, None]
    found = near > 0
    count = near.sum().clamp(min=1)
    loss = 2 * (focal(logits, wanted) * captions.there[:, None]).sum() / count
    return loss + (box_loss(boxes[found], real[found]) * near[found]).sum() / count


def whole_loss(model, words, scenes, g):
    """Part 2 -> the loss; the sureness and the IoU of what the last layer's matches have."""
    chosen, pixels, truths, places = scenes.batch(PICTURES[1], g)
    captions = Captions(words, scenes, chosen, g)
    T = captions.ids.shape[1]
    out = model.model(pixel_values=prepared(pixels), input_ids=captions.ids, attention_mask=captions.there.long())
    text = out.encoder_last_hidden_state_text.transpose(1, 2)  # [B,C,T]
    nowhere = ~captions.there[:, None]
    chosen_logits = out.enc_outputs_class[..., :T].masked_fill(nowhere, -50)
    loss = choice_loss(chosen_logits, out.enc_outputs_coord_logits.sigmoid(), captions, truths, places)
    before = out.init_reference_points
    for i, (head, answers) in enumerate(zip(model.bbox_embed, ANSWERS)):
        hidden = out.intermediate_hidden_states[:, i]
        boxes = torch.sigmoid(head(hidden) + torch.special.logit(before, eps=1e-5))
        one, sure, iou = layer_loss((hidden @ text).masked_fill(nowhere, -50), boxes, captions, truths, answers)
        loss, before = loss + one, out.intermediate_reference_points[:, i]
    return loss + synonym_loss(model, words, g), sure, iou


# ---- training ----

def rate_at(step, steps, first):
    """Of the highest: each part begins with a short rise; down over the last three tenths of part 2."""
    since = step - first if step >= first else step
    return min(1, (since + 1) / WARM) * min(1, (steps - step) / max(1, 0.3 * (steps - first)))


def save(model, tokens, folder):
    """As transformers saves it, in bfloat16: half the bytes. Which place is how far from which follows from the sizes."""
    weights = {name: w.bfloat16() for name, w in model.state_dict().items() if not name.endswith("relative_position_index")}
    model.bfloat16().save_pretrained(folder, state_dict=weights)
    model.float()
    tokens.save_pretrained(folder)
    GroundingDinoImageProcessor(size={"shortest_edge": SIDE, "longest_edge": 2 * SIDE}).save_pretrained(folder)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("scenes", help="a folder that `data scenes` wrote")
    p.add_argument("model", help="the folder for the model, checkpoint.pt and the pictures at the size that it sees")
    p.add_argument("--steps", type=int, default=3300, help="of both parts (default 3300)")
    p.add_argument("--first", type=int, default=750, help="of part 1 (default 750)")
    p.add_argument("--planner", default=os.path.join(os.path.dirname(__file__), "../../models/llava-plus-nano-v1"),
                   help="whose picture encoder it begins with (default models/llava-plus-nano-v1)")
    said = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    os.makedirs(said.model, exist_ok=True)
    scenes = Scenes(said.scenes, said.model)
    tokens = tokenizer(scenes.categories, said.model)
    eyes = Eyes(said.planner)
    model = fresh(len(tokens), eyes)
    words = Words(scenes.categories, tokens)

    def step_loss(step, g):
        if step < said.first:
            return first_loss(model, words, scenes, g, eyes if step < ALIKE else None)
        if step == said.first:
            hand_over(model)
        settle(model)
        return whole_loss(model, words, scenes, g)

    train(model, said.model, said.steps, lambda step: rate_at(step, said.steps, said.first), step_loss, ("sure", "iou"))
    save(model, tokens, said.model)


if __name__ == "__main__":
    main()
