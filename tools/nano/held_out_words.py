#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Words that name no picture in the nano Grounding DINO's training: what it makes of them it knows from text.

    held_out_words.py                         prints them, with commas between
    held_out_words.py instances.json          prints the annotations with these words as their categories' names

    llava-plus data scenes --count 1000 --seed 990001 --out SCENES
    held_out_words.py SCENES/instances.json > truth.json
    llava-plus eval detect --truth truth.json --images SCENES --categories $(held_out_words.py)
"""
import json
import sys

HELD_OUT = ("hound", "kitten", "pony", "hog", "bunny", "alligator", "tortoise", "toad", "hawk", "prawn", "tangerine",
            "aubergine", "doughnut", "automobile", "lorry", "plane", "couch", "smartphone", "purse", "trousers")


def main():
    if len(sys.argv) < 2:
        print(",".join(HELD_OUT))
        return
    with open(sys.argv[1]) as f:
        truth = json.load(f)
    for category in truth["categories"]:
        for word in set(HELD_OUT) & set(category["synonyms"]):
            category["name"] = word
    json.dump(truth, sys.stdout)


if __name__ == "__main__":
    main()
