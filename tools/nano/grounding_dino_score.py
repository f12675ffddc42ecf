#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the detector is worth on scenes: llava-plus finds all names of all categories, then counts by COCO's rules.

All names do not fit one caption: they are asked for in several, which together name each once. With --held-out the
categories that have a word of grounding_dino.HELD_OUT are asked for by it, and only these are counted.

    llava-plus data scenes --count 1000 --seed 990001 --out SCENES
    grounding_dino_score.py SCENES [--held-out]        # the model is that which `skill run detect` finds

Needs llava-plus in PATH, and for --held-out what grounding_dino.py needs.
"""
import argparse
import json
import os
import subprocess
import tempfile

LETTERS, NAMES = 950, 75  # of a caption at most: the skill takes 1000 letters, the model 256 tokens


def captions(names):
    parts = [[]]
    for name in names:
        if len(parts[-1]) == NAMES or len(" . ".join([*parts[-1], name])) > LETTERS:
            parts.append([])
        parts[-1].append(name)
    return [" . ".join(p) for p in parts]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("scenes")
    p.add_argument("--held-out", action="store_true")
    said = p.parse_args()
    with open(os.path.join(said.scenes, "instances.json")) as f:
        truth = json.load(f)
    counted = []
    if said.held_out:
        from grounding_dino import HELD_OUT
        for c in truth["categories"]:
            for word in set(HELD_OUT) & set(c["synonyms"]):
                c["name"] = word
                counted.append(word)
    names = [c["name"] for c in truth["categories"]]
    with tempfile.TemporaryDirectory() as work:
        truth_path, found_path = os.path.join(work, "truth.json"), os.path.join(work, "found.json")
        with open(truth_path, "w") as f:
            json.dump(truth, f)
        found = []
        for caption in captions(names):
            if counted and not set(caption.split(" . ")) & set(counted):
                continue
            subprocess.run(["llava-plus", "skill", "run", "detect", "-i", said.scenes, "--caption", caption, "--truth",
                            truth_path, "--results", found_path, "--json"], check=True, stdout=subprocess.DEVNULL)
            with open(found_path) as f:
                found += json.load(f)
        with open(found_path, "w") as f:
            json.dump(found, f)
        chosen = ["--categories", ",".join(counted)] if counted else []
        subprocess.run(["llava-plus", "eval", "detect", "--truth", truth_path, "--results", found_path, *chosen], check=True)


if __name__ == "__main__":
    main()
