#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the fuzz target `wordpiece`: tests/fuzz/seeds/wordpiece. Needs nothing but Python."""
import copy
import json
import os

SEEDS = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "fuzz", "seeds", "wordpiece")
LINES = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\n?\nred\nc\n##ar\ndog\n##a\n"
GOOD = {
    "added_tokens": [{"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                      "special": True} for i, c in enumerate(LINES.split("\n")[:5])],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                   "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {c: i for i, c in enumerate(LINES.split("\n")[:-1])}},
}


def edited(path, value):
    root = copy.deepcopy(GOOD)
    at = root
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(root).encode()


def main():
    os.makedirs(SEEDS, exist_ok=True)
    good = json.dumps(GOOD).encode()
    mark = {"id": 20, "content": "[NEW]"}
    seeds = {
        "good.txt": LINES.encode(), "crlf.txt": LINES.replace("\n", "\r\n").encode(), "no_end.txt": LINES.encode()[:-1],
        "empty": b"", "feeds.txt": b"\n\n\n", "doubled.txt": LINES.encode() + b"red\n", "no_unk.txt": b"[CLS]\n[SEP]\n",
        "blank.txt": LINES.encode() + b"\na\n", "broken.txt": LINES.encode() + b"\xff\xc3\n",
        "nul.txt": LINES.encode() + b"a\0b\n", "long.txt": LINES.encode() + b"x" * 70000 + b"\n",
        "odd.txt": LINES.encode() + b"##\n###\n[\n", "no_stop.txt": LINES.replace(".\n", "").encode(),
        "text": "a red c\u00e4r. \u4e2d\u6587 [SEP] \u1e69\u0301\u0323 \ud7a3?".encode(), "marks": "\u302f\u302e\u0315\u0301".encode() * 40,
        "words": b"a" * 100 + b" " + b"a" * 101 + b" " + b". " * 300,
        "good.json": good, "cut.json": good[:-30], "array.json": b"[]", "brace.json": b"{", "nothing.json": b"{}",
        "doubled_key.json": good[:-1] + b', "model": {}}', "deep.json": b'{"model":' + b"[" * 3000,
        "cased.json": edited(["normalizer", "lowercase"], False), "accents.json": edited(["normalizer", "strip_accents"], False),
        "normalizer.json": edited(["normalizer"], 7), "model.json": edited(["model"], []), "vocab.json": edited(["model", "vocab"], {}),
        "unk.json": edited(["model", "unk_token"], None), "most.json": edited(["model", "max_input_chars_per_word"], 1e9),
        "id_text.json": edited(["model", "vocab", "red"], "7"), "id_negative.json": edited(["model", "vocab", "red"], -1),
        "id_huge.json": edited(["model", "vocab", "red"], 1 << 62), "id_same.json": edited(["model", "vocab", "red"], 8),
        "gap.json": edited(["model", "vocab", "red"], 1000), "name_empty.json": edited(["model", "vocab", ""], 30),
        "added_text.json": edited(["added_tokens"], "[CLS]"), "added_new.json": edited(["added_tokens"], [mark]),
        "added_clash.json": edited(["added_tokens", 0, "id"], 4), "added_flag.json": edited(["added_tokens", 0, "lstrip"], True),
        "added_empty.json": edited(["added_tokens"], [{"id": 20, "content": ""}]),
        "added_many.json": edited(["added_tokens"], [{"id": 20 + i, "content": f"[{i}]"} for i in range(40)]),
        "added_same.json": edited(["added_tokens"], [{"id": 1, "content": "[UNK]"}] * 3),
    }
    for name, data in seeds.items():
        with open(os.path.join(SEEDS, name), "wb") as f:
            f.write(data)
    print(len(seeds), "seeds")


main()
