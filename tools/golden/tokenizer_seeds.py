#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the fuzz targets `tokenizer` and `encode`: tests/fuzz/seeds/. Needs nothing but Python."""
import json
import os
import struct

SEEDS = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "fuzz", "seeds")
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
SPACE = "\u2581"


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece(name, score=0.0, kind=NORMAL):
    return field(1, field(1, name) + field(2, score) + (field(3, kind) if kind != NORMAL else b""))


def model(extra=b"", trainer=b"", normalizer=b"", pieces=True):
    names = ["th", SPACE + "th", SPACE + "the", "aa", "aaaa", "ca", "cat", SPACE, "t", "h", "e", "a", "c", "s", "i"]
    head = piece("<unk>", 0.0, UNKNOWN) + piece("<s>", 0.0, CONTROL) + piece("</s>", 0.0, CONTROL)
    body = b"".join(piece(n, -float(i)) for i, n in enumerate(names))
    return (head + body if pieces else b"") + extra + field(2, field(3, 2) + trainer) + field(3, normalizer)


def as_json(**changes):
    names = ["<unk>", "<s>", "</s>", SPACE, "t", "h", "e", "a", "c", "th", SPACE + "th", SPACE + "the", "aa", "aaaa", "ca", "cat"]
    merges = ["t h", SPACE + " th", SPACE + "th e", "a a", "aa aa", "c a", "ca t"]
    root = {
        "added_tokens": [{"id": i, "content": n, "special": True} for i, n in enumerate(names[:3])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]},
        "pre_tokenizer": None, "post_processor": None,
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": False,
                  "vocab": {n: i for i, n in enumerate(names)}, "merges": merges},
    }
    for key, value in changes.items():
        target = root["model"] if key in ("vocab", "merges", "byte_fallback", "unk_token", "dropout", "type") else root
        target[key] = value
    return json.dumps(root, ensure_ascii=False).encode()


def tokenizer_seeds():
    good = model()
    yield "good.model", good
    yield "flags.model", model(normalizer=field(3, 0) + field(4, 0) + field(5, 0), trainer=field(24, 1))
    yield "bytes.model", model(b"".join(piece(f"<0x{i:02X}>", 0.0, BYTE) for i in range(256)), field(35, 1), field(4, 0))
    yield "bytes_missing.model", model(b"".join(piece(f"<0x{i:02X}>", 0.0, BYTE) for i in range(255)), field(35, 1))
    yield "bytes_forbidden.model", model(piece("<0x00>", 0.0, BYTE))
    yield "byte_name.model", model(piece("<0xGG>", 0.0, BYTE), field(35, 1))
    yield "user.model", model(piece("the cat", 0.0, USER) + piece("cas", 0.0, USER) + piece("<im|>", 0.0, USER))
    yield "unused.model", model(piece("caa", -0.5, UNUSED) + piece("aaa", -0.1, UNUSED) + piece("aaaaa", 0.0, UNUSED))
    yield "all_unused.model", model(b"".join(piece("a" * i, -float(i), UNUSED) for i in (3, 5, 6, 7, 8, 9, 10)))
    yield "no_unknown.model", field(2, field(3, 2)) + piece("a")
    yield "two_unknown.model", model(piece("<unk2>", 0.0, UNKNOWN))
    yield "doubled.model", model(piece("th"))
    yield "empty_name.model", model(piece(""))
    yield "no_name.model", model(field(1, b""))
    yield "nan.model", model(piece("xy", float("nan")))
    yield "infinite.model", model(piece("xy", float("inf")) + piece("xx", float("-inf")))
    yield "strange_type.model", model(piece("xy", 0.0, 99))
    yield "unigram.model", model(trainer=field(3, 1))
    yield "no_trainer.model", piece("<unk>", 0.0, UNKNOWN) + piece("a")
    yield "charsmap.model", model(normalizer=field(2, b"\x01\x02\x03\x04"))
    yield "denormalizer.model", model() + field(5, field(2, b"\x01"))
    yield "no_pieces.model", model(pieces=False)
    yield "control_names.model", model(trainer=field(46, "a") + field(47, "zzz") + field(48, "<s>\0x"))
    yield "unk_text.model", model(trainer=field(44, "?\0?"))
    yield "broken_utf8.model", model(piece(b"\xff\xfe", 0.0) + piece(b"\xe2\x96", 0.0, USER))
    for cut in (1, 2, 3, 9, len(good) // 2, len(good) - 1):
        yield f"cut_{cut}.model", good[:cut]
    yield "long_piece.model", b"\x0a\xff\xff\xff\xff\x0f" + good
    yield "longer_piece.model", b"\x0a" + b"\xff" * 9 + b"\x01" + good
    yield "endless_varint.model", b"\x0a" + b"\xff" * 30
    yield "lying_name.model", b"\x0a\x05\x0a\x7f<unk" + good
    yield "group.model", good + b"\x0b\x0c"
    yield "field_zero.model", good + b"\x00\x00"
    yield "unknown_fields.model", good + field(99, "x") + field(100, 7) + field(101, 1.5) + varint(102 << 3 | 1) + b"12345678"
    yield "cut_fixed.model", good + varint(102 << 3 | 1) + b"1234"
    yield "many_pieces.model", b"\x0a\x00" * 3000 + field(2, field(3, 2))
    yield "empty.model", b""
    yield "text.model", b"this is no tokenizer\n"
    yield "line_feeds.model", b"\n" * 100

    yield "good.json", as_json()
    yield "pairs.json", as_json(merges=[["t", "h"], ["a", "a"], ["aa", "aa"]])
    yield "metaspace.json", as_json(normalizer=None, pre_tokenizer={"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": True})
    yield "bytes.json", as_json(byte_fallback=True, added_tokens=[], merges=[], unk_token=None,
                                vocab={f"<0x{i:02X}>": i for i in range(256)})
    yield "user.json", as_json(added_tokens=[{"id": 20, "content": "<im|>", "special": False}, {"id": 1, "content": "<s>", "special": True}])
    yield "template.json", as_json(post_processor={"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}]})
    yield "template_odd.json", as_json(post_processor={"type": "TemplateProcessing", "single": [1, {}, {"SpecialToken": {"id": 3}}]})
    yield "cycle.json", as_json(merges=["t h", "th t", "h t"])
    yield "self_merge.json", as_json(merges=["a a", "a a", "aa aa", "aa aa"])
    yield "huge_id.json", as_json(vocab={"a": 10 ** 15, "b": 1})
    yield "negative_id.json", as_json(vocab={"a": -1, "b": 1})
    yield "same_id.json", as_json(vocab={"a": 1, "b": 1}, merges=[], added_tokens=[])
    yield "gap.json", as_json(vocab={"a": 1000, "b": 1}, merges=[], added_tokens=[], unk_token="b")
    yield "no_vocab.json", as_json(vocab=[], merges={})
    yield "empty_vocab.json", as_json(vocab={}, merges=[], added_tokens=[])
    yield "strange_merges.json", as_json(merges=["a", "a a a", "", 7, ["a"], ["a", 1]])
    yield "merge_number.json", as_json(merges=[7])
    yield "added_clash.json", as_json(added_tokens=[{"id": 5, "content": "<s>", "special": True}])
    yield "added_strange.json", as_json(added_tokens={"a": 1})
    yield "dropout.json", as_json(dropout=0.5)
    yield "wordpiece.json", as_json(type="WordPiece")
    yield "nfc.json", as_json(normalizer={"type": "NFC"})
    yield "deep_normalizer.json", as_json(normalizer={"type": "Sequence", "normalizers": [{"type": "Sequence", "normalizers": []}]})
    yield "bytelevel.json", as_json(pre_tokenizer={"type": "ByteLevel"})
    yield "doubled_key.json", b'{"model": {"vocab": {"a": 1, "a": 2}, "merges": []}}'
    yield "deep.json", b'{"a":' * 1500 + b"1" + b"}" * 1500
    yield "cut.json", as_json()[:-30]
    yield "broken_utf8.json", b'{"model": "\xff"}'
    yield "array.json", b"[1, 2]"
    yield "brace.json", b"\n {"
    yield "nothing.json", b"{}"


def encode_seeds():
    yield "plain", b"Hello, world! 12345  two  spaces\t\n"
    yield "scripts", "Привет мир, γειά, سلام, שלום, नमस्ते, สวัสดี, 你好, こんにちは, 안녕, გამარჯობა".encode()
    yield "emoji", "🤔🚀👉 👨‍👩‍👧‍👦🏳️‍🌈".encode()
    yield "broken", b"a\xffb\xc0\x80c\xe2\x96 d\xed\xa0\x80\xf4\x90\x80\x80\xf0\x9f\x99"
    yield "spaces", "  \u2581 \u2581\u2581 ".encode()
    yield "nuls", b"\0a\0\0b\n\r\x1b"
    yield "marks", b"<s>a</s><unk><image><0x41>"
    yield "repeats", b"aaaaaaaaaaaaaaa               eeeeeeee"
    yield "empty", b""


def main():
    for target, seeds in ("tokenizer", tokenizer_seeds()), ("encode", encode_seeds()):
        os.makedirs(os.path.join(SEEDS, target), exist_ok=True)
        for name, data in seeds:
            with open(os.path.join(SEEDS, target, name), "wb") as f:
                f.write(data)


main()
