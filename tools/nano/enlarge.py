#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""enlarge.py MODEL_FOLDER NEW_FOLDER [--side PX] [--picture-layers N] [--language-layers N]: a LLaVA folder that sees more pixels
and has more layers, and still says what it said: a new layer is a copy of the one before it that adds nothing yet, and the
squares' places are interpolated. Needs numpy."""
import argparse
import json
import pathlib
import re
import shutil

import numpy as np

from weights import read, write

PLACES = "vision_tower.vision_model.embeddings.position_embedding.weight"
PICTURE = "vision_tower.vision_model.encoder.layers."
LANGUAGE = "language_model.model.layers."
ADDS = ("out_proj.weight", "out_proj.bias", "fc2.weight", "fc2.bias", "o_proj.weight", "down_proj.weight")


def interpolate(places, old, new):
    """The class's place and old x old squares' to new x new squares', bilinear, the corners of the picture kept."""
    grid = places[1:].reshape(old, old, -1)
    at = (np.arange(new) + 0.5) * old / new - 0.5
    low = np.clip(np.floor(at).astype(int), 0, old - 2)
    part = (at - low).astype(np.float32)[:, None, None]
    rows = grid[low] * (1 - part) + grid[low + 1] * part
    rows = rows.transpose(1, 0, 2)
    both = (rows[low] * (1 - part) + rows[low + 1] * part).transpose(1, 0, 2)
    return np.concatenate([places[:1], both.reshape(new * new, -1)])


def deepen(tensors, prefix, layers):
    """`layers` layers, the new ones spread evenly among the old."""
    of = {}
    for name in [n for n in tensors if n.startswith(prefix)]:
        number, part = re.fullmatch(r"(\d+)\.(.*)", name[len(prefix):]).groups()
        of.setdefault(int(number), {})[part] = tensors.pop(name)
    order = sorted(list(range(len(of))) + [(i + 1) * len(of) // (layers - len(of)) - 1 for i in range(layers - len(of))])
    for i, old in enumerate(order):
        new = i > 0 and order[i - 1] == old
        for part, value in of[old].items():
            tensors[f"{prefix}{i}.{part}"] = np.zeros_like(value) if new and part.endswith(ADDS) else value.copy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--side", type=int, help="pixels of a picture's side")
    parser.add_argument("--picture-layers", type=int, help="of the picture encoder, that are run")
    parser.add_argument("--language-layers", type=int)
    a = parser.parse_args()
    tensors = read(a.model / "model.safetensors")
    config = json.loads((a.model / "config.json").read_text())
    prepared = json.loads((a.model / "preprocessor_config.json").read_text())
    vision, text = config["vision_config"], config["text_config"]
    config["torch_dtype"] = "float32"
    if a.side:
        patch = vision["patch_size"]
        tensors[PLACES] = interpolate(tensors[PLACES], vision["image_size"] // patch, a.side // patch)
        vision["image_size"] = prepared["size"]["shortest_edge"] = a.side
        prepared["crop_size"] = {"height": a.side, "width": a.side}
    if a.picture_layers:
        deepen(tensors, PICTURE, a.picture_layers)
        vision["num_hidden_layers"] = a.picture_layers - 1 - config["vision_feature_layer"]
    if a.language_layers:
        deepen(tensors, LANGUAGE, a.language_layers)
        text["num_hidden_layers"] = a.language_layers
    a.new.mkdir(parents=True)
    shutil.copy(a.model / "tokenizer.model", a.new)
    write(a.new / "model.safetensors", tensors)
    (a.new / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (a.new / "preprocessor_config.json").write_text(json.dumps(prepared, indent=2) + "\n")


if __name__ == "__main__":
    main()
