#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/wordpiece: a small vocabulary in both of its file formats, and the ids that transformers'
BertTokenizerFast gives thousands of strings. See README.md beside this file.

    wordpiece.py [FOLDER]        # default: tests/golden of this tree

The vocabulary's words and half of the strings are of what the machine has in many languages (gettext catalogues), so
another machine makes others; the same machine makes the same. A string on which the slow BertTokenizer differs is left
out, except for a sigma at a word's end, where the fast one is followed.

wordpiece.cases is a sequence of cases, numbers as LEB128 varints:
    flags (1: the decoded text follows)
    repeats, n, n bytes          the text is the bytes, that many times over
    n, n ids                     what the tokenizer encodes it to, without [CLS] and [SEP]
    n, n bytes                   with flag 1: what it decodes the ids to
"""
import collections
import gettext
import glob
import os
import random
import sys
import unicodedata

os.environ["USE_TORCH"] = "0"
from transformers import BertTokenizer, BertTokenizerFast  # noqa: E402
from transformers.models.bert.tokenization_bert import BasicTokenizer  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OBJECTS = "cat dog red car person traffic light cup the a of on tree sky".split()


def catalogue_words():
    words = {}
    for path in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/*.mo")):
        language = path.split("/")[4]
        if len(words.setdefault(language, [])) > 3000:
            continue
        try:
            with open(path, "rb") as f:
                entries = gettext.GNUTranslations(f)._catalog
        except (OSError, UnicodeDecodeError, ValueError, IndexError):
            continue
        for k, v in sorted((k, v) for k, v in entries.items() if isinstance(k, str) and k and isinstance(v, str)):
            words[language] += v.split()
            words.setdefault("en", []).extend(k.split())
    return {k: v[:6000] for k, v in sorted(words.items()) if v}


def vocabulary(words):
    """Frequent characters, words and word ends, after BERT's own basic tokenization."""
    basic = BasicTokenizer()
    tidy = [w for list_ in words.values() for w in basic.tokenize(" ".join(list_[:1500]))]
    characters = collections.Counter(c for w in tidy for c in w)
    ends = collections.Counter("##" + w[-n:] for w in tidy for n in (2, 3) if len(w) > n)
    starts = collections.Counter(w[:n] for w in tidy for n in (2, 3, 4) if len(w) > n)
    whole = collections.Counter(w for w in tidy if len(w) > 1)
    pieces = SPECIAL + [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    common = [c for c, _ in sorted(characters.items(), key=lambda x: (-x[1], x[0]))]
    pieces += common[:160] + ["##" + c for c in common[:110]] + ["##" + chr(c) for c in range(97, 123)]
    pieces += [chr(0x1100), "##" + chr(0x1161), "##" + chr(0x11a8), "\u302e", "##\u302e", "##\u302f", "##\u1b44", "\u4e2d"]
    for counter, n in ((whole, 90), (ends, 70), (starts, 50)):
        pieces += [w for w, _ in sorted(counter.items(), key=lambda x: (-x[1], x[0]))[:n]]
    return list(dict.fromkeys(pieces + OBJECTS))


def made_up(rng):
    """Strings that meet each rule, and random ones."""
    out = ["", " ", "\t\n\r ", "a", "A", "\u00c5ngstr\u00f6m \u212b", "na\u00efve caf\u00e9", "cafe\u0301", "\u0130stanbul",
           "\u0391\u03a3 \u039f\u0394\u039f\u03a3.", "\ufb01ne", "stra\u00dfe \u1e9e", "\u4e2d\u6587abc\u4e2d", "\uf900\U0002f800",
           "\uac01\uac00", "\u30ab\u3099", "a\u200bb", "a\u00adb", "a\u2028b\u2029c", "a\u00a0b\u3000c", "a\u0085b\x0bc\x0cd",
           "\ufffd", "x\ufffdy", "a\0b", "\x01\x02", "don't", "it's n't 'm", "a . b ? c ! d , e", "...", "?!", "$5.00 + 7% = ^`~",
           "[CLS] [SEP]", "[sep]", "a[SEP]b", "[MASK][MASK]", "[UNK", "[[SEP]]", "##a", "a##b", "# #", "cat . dog . red car .",
           "\u0061\u0315\u0300\u05ae\u0300b", "a\u302e\u302fb", "a\u302f\u302eb", "a\u302f\u0300\u302eb", "\u1b44\u302e a\u302e\u1b44",
           "\U0001f600", "a\U0001f600b", "\u0e01\u0e33", "\u0915\u094d\u0937", "\u037e", "\u1fef", "\u00b7\u00bf\u00ab\u00bb",
           "\ue000", "\ud7a3", "\u2160", "\u00bd", "\u01c5", "\u1e00\u0323"]
    out += [c * n for c in ("a", "\u00e9", "\u4e2d", "e\u0301", "z", ".") for n in (1, 2, 99, 100, 101, 150)]
    out += ["a" * 99 + "." + "a" * 101, "\u0301" * 300, "a" + "\u0301\u0315" * 200, "\u302f\u302e" * 60]
    assigned = [chr(c) for c in range(0x110000)
                if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    common = [c for c in assigned if ord(c) < 0x2e80 or 0xf900 <= ord(c) < 0x10000]
    marks = [c for c in common if unicodedata.combining(c)]
    marks += [c for c in assigned if unicodedata.combining(c) and unicodedata.category(c) == "Mc"] * 5
    for _ in range(900):
        out.append("a" + rng.choice(common) + "b")
    for _ in range(400):
        out.append("a" + rng.choice(assigned) + "b")
    for _ in range(500):
        out.append("".join(rng.choice(common) for _ in range(rng.randint(1, 8))))
    for _ in range(200):
        out.append(rng.choice("aeo") + "".join(rng.choice(marks) for _ in range(rng.randint(1, 5))) + "b")
    for _ in range(700):
        out.append("".join(rng.choice("abcdeorst##.,'- AE?\n!\u00e9[]") for _ in range(rng.randint(1, 12))))
    return out


def captions(rng):
    return [rng.choice([" . ", ". ", ".", "? ", ", "]).join(rng.choice(OBJECTS + ["Red Car", "people's", "zebra"])
            for _ in range(rng.randint(1, 5))) + rng.choice(["", ".", " ."]) for _ in range(400)]


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def case(text, repeats, ids, decoded):
    data = text.encode()
    out = varint(decoded is not None) + varint(repeats) + varint(len(data)) + data + varint(len(ids))
    out += b"".join(varint(i) for i in ids)
    return out + (varint(len(decoded.encode())) + decoded.encode() if decoded is not None else b"")


def main():
    folder = os.path.join(sys.argv[1] if len(sys.argv) > 1 else
                          os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden"), "wordpiece")
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(5)
    words = catalogue_words()
    vocab = os.path.join(folder, "vocab.txt")
    with open(vocab, "w", encoding="utf-8") as f:
        f.write("".join(p + "\n" for p in vocabulary(words)))
    slow, fast = BertTokenizer(vocab), BertTokenizerFast(vocab)
    fast.backend_tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)

    texts = made_up(rng) + captions(rng)
    every = [w for list_ in words.values() for w in list_ if len(w) < 25]
    while len(texts) < 5400:
        texts.append(rng.choice([" ", " ", "  ", "-", "\n"]).join(rng.choice(every) for _ in range(rng.randint(1, 3))))
    out, kept, differ = bytearray(), 0, collections.Counter()
    for i, text in enumerate(texts):
        ids = fast.encode(text, add_special_tokens=False)
        if ids != slow.encode(text, add_special_tokens=False) and "\u03a3" not in text:
            differ[" ".join(f"{ord(c):04x}" for c in text if ord(c) > 127)] += 1
            continue
        decoded = fast.decode(ids, clean_up_tokenization_spaces=True) if i % 8 == 0 or i < 100 else None
        out += case(text, 1, ids, decoded)
        kept += 1
    for text, repeats in (("cat . ", 2000), ("x\u0301", 5000), ("\u4e2d", 3000)):
        out += case(text, repeats, fast.encode(text * repeats, add_special_tokens=False), None)
    with open(os.path.join(folder, "wordpiece.cases"), "wb") as f:
        f.write(out)
    print(f"{len(fast)} pieces, {kept} cases; left out, for the two tokenizers differ: {sum(differ.values())}: {differ}")
    assert kept >= 5000


main()
