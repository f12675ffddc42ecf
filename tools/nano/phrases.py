#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""phrases.py: what the dialogues say so often that it should be one token: the grammar's fixed pieces of thoughts, and small
words that stand together in questions, with the spaces around them. The words between stay tokens of their own, the same
in a question, between quotes and in a picture's row.

    phrases.py THOUGHTS_FOLDER TEXT [MOST]    prints a phrase a line; TEXT is of `train --write-text`, MOST groups of small words
"""
import collections
import itertools
import pathlib
import re
import sys

SMALL = set("""a an the this that these those it its they them there here I i I'm i'm I'd i'd you me my mine we us our your he she his her is
are was were be been am isn't do does did don't doesn't have has had can can't could would should will won't may might must of in
on at to from for with without by into out up about as and or but so if than then not no any some all every each what where which
who how when why please just only want need like see get make made give show tell let help image picture photo""".split())


NUMBERS = ["0.", ", 0.", "], [0."]


def choices(line):
    """All texts of a line with choices, "(a|b)" and "[c]"; they do not nest."""
    parts = [part[1:-1].split("|") + [""] * (part[0] == "[") if part[:1] in ("(", "[") else [part]
             for part in re.findall(r"\([^)]*\)|\[[^\]]*\]|[^(\[]+", line)]
    return map("".join, itertools.product(*parts))


def pieces_of_thoughts(folder):
    """The texts between slots; of at least two words."""
    for path in sorted(pathlib.Path(folder).glob("*.txt")):
        for line in path.read_text().splitlines():
            if not line or line[0] in "#=":
                continue
            for text in choices(line):
                yield from (piece for piece in re.split(r"<[^>]*>|\{[^}]*\}", text) if " " in piece.strip())


def small_words(text, most):
    """The n-grams of small words between two spaces that spare most tokens in lines that are not an assistant's."""
    spared = collections.Counter()
    for line in open(text):
        if line.startswith('"'):
            continue
        words = line.rstrip("\n").split(" ")
        for size in 1, 2, 3:
            for i in range(1, len(words) - size):
                if all(w in SMALL for w in words[i:i + size]):
                    spared[" " + " ".join(words[i:i + size]) + " "] += 2 * size
    return [phrase for phrase, _ in spared.most_common(most)]


def main():
    folder, text = sys.argv[1:3]
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 250
    for phrase in dict.fromkeys([*NUMBERS, *pieces_of_thoughts(folder), *small_words(text, most)]):
        print(phrase)


if __name__ == "__main__":
    main()
