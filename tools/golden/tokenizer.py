#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/tokenizer: small SentencePiece models with LLaMA's settings, and what the library says to
thousands of strings.

    pip install sentencepiece==0.2.3 protobuf
    python3 tools/golden/tokenizer.py

The training text is what the machine has in many languages (gettext catalogues, Vim's tutors, Python's library),
so another machine makes other models; the same machine makes the same. The cases hold single words of it in
random order, and strings made up here.

A .cases file is a sequence of cases, numbers as LEB128 varints:
    flags (1: the text is well-formed UTF-8, 2: the decoded text follows, else it equals the text)
    repeats, n, n bytes          the text is the bytes, that many times over
    n, n ids                     what the library encodes it to
    n, n bytes                   with flag 2: what it decodes the ids to
"""
import glob
import gettext
import io
import json
import os
import random
import sys

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

OUT = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden", "tokenizer")
SPACE = "\u2581"
LANGUAGES = """am ar be bg bn ca cs da de el en eo es et eu fa fi fr gl gu he hi hr hu hy id is it ja ka kk kn ko ky lt
lv mk ml mn ms my nb ne nl pa pl pt pt_BR ro ru si sk sl sq sr sv sw ta te th tr ug uk ur uz vi yi zh_CN zh_TW""".split()
SCARCE = {"ja": 25, "ko": 20, "zh_CN": 25, "zh_TW": 8}  # kB: their many characters must not fill the model


def catalogues():
    """{language: text} of the machine's translations, about 60 kB each."""
    texts = {}
    for path in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/*.mo")):
        language = path.split("/")[4]
        if language not in LANGUAGES or len(texts.get(language, "")) > 1000 * SCARCE.get(language, 60):
            continue
        try:
            with open(path, "rb") as f:
                entries = gettext.GNUTranslations(f)._catalog
        except (OSError, UnicodeDecodeError, ValueError, IndexError):
            continue
        lines = [v for k, v in entries.items() if isinstance(k, str) and k and isinstance(v, str) and v != k]
        texts[language] = texts.get(language, "") + "\n".join(sorted(lines)) + "\n"
        if language == "de":
            english = sorted(k for k in entries if isinstance(k, str) and k)
            texts["en"] = texts.get("en", "") + "\n".join(english) + "\n"
    return {k: v[: 1000 * SCARCE.get(k, 60)] for k, v in sorted(texts.items()) if len(v) > 2000}


def code():
    library = os.path.dirname(os.__file__)
    names = ["json/decoder.py", "heapq.py", "textwrap.py", "bisect.py", "html/parser.py"]
    return "".join(open(os.path.join(library, n), encoding="utf-8").read() for n in names)[:80000]


def train(text, **settings):
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(line for line in text.split("\n") if line.strip()), model_writer=model,
        model_type="bpe", normalization_rule_name="identity", num_threads=1, input_sentence_size=0,
        shuffle_input_sentence=False, minloglevel=2, train_extremely_large_corpus=False, **settings)
    return model.getvalue()


def to_json(proto):
    """The model as transformers' converter writes it for LLaMA: every way to make a piece of two is a merge."""
    vocab = {p.piece: i for i, p in enumerate(proto.pieces)}
    kind = pb.ModelProto.SentencePiece
    merges = []
    for i, p in enumerate(proto.pieces):
        if p.type == kind.NORMAL:
            ways = [(p.piece[:k], p.piece[k:]) for k in range(1, len(p.piece))]
            ways = [(a, b) for a, b in ways if a in vocab and b in vocab]
            merges += [(-p.score, vocab[a], vocab[b], a, b) for a, b in sorted(ways, key=lambda w: (vocab[w[0]], vocab[w[1]]))]
    merges.sort(key=lambda m: m[0])
    special = [{"id": i, "content": p.piece, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": True, "special": True}
               for i, p in enumerate(proto.pieces) if p.type in (kind.CONTROL, kind.UNKNOWN)]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": vocab, "merges": [[a, b] for _, _, _, a, b in merges]},
    }


def broken(rng, base):
    """UTF-8 with one thing wrong somewhere."""
    data = base.encode()
    at = rng.randint(0, len(data))
    kind = rng.randrange(6)
    if kind == 0:
        return data[:at]
    if kind == 1:
        bad = [b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf"]  # overlong
    elif kind == 2:
        bad = [b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80"]  # surrogates
    elif kind == 3:
        bad = [b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xff\xfe"]
    elif kind == 4:
        bad = [b"\x80", b"\xbf", b"\x80\xbf\x80", b"\x96\x81", b"\xe2\x96", b"\xe2\x96 ", b"\xf0\x9f\x99", b"\xf0\x9f"]
    else:
        return bytes(b ^ (0x80 if rng.random() < 0.1 else 0) for b in data)
    return data[:at] + rng.choice(bad) + data[at:]


EMOJI = ["😀", "🤔", "🚀", "👉", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇯🇵🇰🇷", "❤️", "☺", "1️⃣", "👩🏿‍💻", "🧑‍🤝‍🧑", "🫠", "⌚️"]
BLANKS = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n ", "\u00a0", "\u3000", "\u2003", "\u200b", "\u200d", "\ufeff",
          SPACE, SPACE + SPACE, " " + SPACE, "\v", "\f", "\x85", "\u2028"]
SCRIPTS = [(0x00c0, 0x017f), (0x0370, 0x03ff), (0x0400, 0x04ff), (0x0531, 0x058a), (0x05d0, 0x05ea), (0x0620, 0x064a),
           (0x0904, 0x0939), (0x0985, 0x09b9), (0x0a05, 0x0a39), (0x0a85, 0x0ab9), (0x0b85, 0x0bb9), (0x0c05, 0x0c39),
           (0x0d05, 0x0d39), (0x0e01, 0x0e3a), (0x0e81, 0x0eb0), (0x0f40, 0x0f69), (0x1000, 0x102a), (0x10a0, 0x10ff),
           (0x1200, 0x1248), (0x13a0, 0x13f4), (0x1780, 0x17b3), (0x1820, 0x1877), (0x1e00, 0x1eff), (0x1f00, 0x1fff),
           (0x2190, 0x21ff), (0x2200, 0x22ff), (0x2500, 0x257f), (0x3041, 0x3096), (0x30a1, 0x30fa), (0x4e00, 0x9fff),
           (0xac00, 0xd7a3), (0xfb50, 0xfbb1), (0xff01, 0xff5e), (0x10330, 0x1034a), (0x1d400, 0x1d4ff), (0x1f300, 0x1f5ff),
           (0x20000, 0x2a6d6), (0xe000, 0xf8ff)]
PLAIN = ["", " ", "  ", "\n", "\0", "a\0b", "<s>", "</s>", "<unk>", "<pad>", "<0x41>", "<image>", "a</s>b", SPACE, " a", "a ", "  a  b  ",
         "\"thoughts🤔\" \"actions🚀\" \"value👉\"", "### Human: <image>\nDetect the bird.###Assistant:", "I'm", "don't",
         "sam model outputs: {'boxes': [[0.1, 0.2, 0.3, 0.4]]}", "{\"API_name\": \"grounding_dino\", \"API_params\": {\"caption\": \"cat\"}}",
         "for (int i = 0; i < n; i++)\n    sum += a[i];\n", "def f(x):\n\treturn x ** 2\n", "SELECT * FROM t WHERE a = 'b';",
         "https://example.org/a_b?c=d&e=%20#f", "3.14159265358979 1,000,000 0x7fff -273.15", "ﬁ ﬀ Å A\u030a é e\u0301", "ﷺ", "\ufffd", "\uffff", "\U0010ffff"]


def random_word(rng, words):
    kind = rng.randrange(12)
    if kind < 7:
        return rng.choice(words[rng.choice(sorted(words))])
    if kind == 7:
        return rng.choice(EMOJI) * rng.choice([1, 1, 2])
    if kind == 8:
        lo, hi = rng.choice(SCRIPTS)
        return "".join(chr(rng.randint(lo, hi)) for _ in range(rng.randint(1, 6)))
    if kind == 9:
        return "".join(chr(rng.randint(33, 126)) for _ in range(rng.randint(1, 8)))
    if kind == 10:
        return str(rng.randrange(10 ** rng.randint(1, 9)))
    return rng.choice(["\x00", "\x01", "\x1b[0m", "\x7f", "\x80", "\u0301", "\u202e", "(", "),", "...", "--", "==", "_", "ab" * 6])


def make_cases(rng, words, n):
    """(repeats, bytes): fixed strings, sentences of each language, mixtures, broken ones, repeats."""
    cases = [(1, s.encode()) for s in PLAIN + EMOJI + BLANKS]
    cases += [(1, bytes([b])) for b in range(128, 256)]
    for language in sorted(words):
        cases += [(1, " ".join(rng.choice(words[language]) for _ in range(rng.randint(2, 7))).encode()) for _ in range(n // 250)]
    for unit in ["a", " ", "ab", "\n", "=", SPACE, "no", " no", "in", "ha", "é", "的", "🤔", "\ufffd", "0", "e ", "i n", "tion", "..", "\t"]:
        cases += [(k, unit.encode()) for k in (2, 3, 5, 8, 13, 31, 64, 500)]
    cases += [(5000, b"a"), (3000, "ный".encode()), (4000, b"\xff"), (2000, b" ")]
    while len(cases) < n:
        text = "".join(random_word(rng, words) + rng.choice([" "] * 12 + [""] * 4 + BLANKS) for _ in range(rng.randint(1, 6)))
        if rng.random() < 0.1:
            text = rng.choice(BLANKS) + text
        cases.append((1, broken(rng, text) if rng.random() < 0.2 else text.encode()))
    return cases


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def is_utf8(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


def write_cases(name, sp, cases):
    out = bytearray()
    seen, n_ids = set(), 0
    for repeats, unit in cases:
        if (repeats, unit) in seen:
            continue
        seen.add((repeats, unit))
        data = unit * repeats
        ids = sp.encode(data, out_type=int)
        decoded = sp.decode(ids)
        decoded = decoded if isinstance(decoded, bytes) else decoded.encode()
        out += varint(is_utf8(data) | 2 * (decoded != data)) + varint(repeats) + varint(len(unit)) + unit
        out += varint(len(ids)) + b"".join(map(varint, ids))
        if decoded != data:
            out += varint(len(decoded)) + decoded
        n_ids += len(ids)
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(out)
    print(f"{name}: {len(seen)} cases, {n_ids} ids, {len(out)} bytes")


def save(name, data):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)
    return spm.SentencePieceProcessor(model_proto=data)


def odd_models(text, words):
    """Small models with what LLaMA's lacks: user-defined and unused pieces, unknowns, other ways with spaces."""
    kind = pb.ModelProto.SentencePiece
    user = ["<|im|>", "<|im_start|>", "ing", "  ", "🤔🚀", SPACE + "the", "aaa"]
    base = pb.ModelProto.FromString(train(text, vocab_size=400, character_coverage=0.98, user_defined_symbols=user, pad_id=3))
    for name in ["ings", "king", SPACE + "then", "aaaa", "  a"]:  # no user-defined piece may be merged into these
        base.pieces.add(piece=name, score=0.5)
    rng = random.Random(7)
    for name, settings, suffix in [("user", {"remove_extra_whitespaces": False}, False), ("tidy", {"remove_extra_whitespaces": True}, False),
                                   ("bare", {"add_dummy_prefix": False, "remove_extra_whitespaces": False}, False),
                                   ("suffix", {"remove_extra_whitespaces": False}, True),
                                   ("space", {"escape_whitespaces": False, "remove_extra_whitespaces": True}, False)]:
        proto = pb.ModelProto.FromString(base.SerializeToString())
        for key, value in settings.items():
            setattr(proto.normalizer_spec, key, value)
        proto.trainer_spec.treat_whitespace_as_suffix = suffix
        for p in proto.pieces:
            if p.type == kind.NORMAL and len(p.piece) > 1 and rng.random() < 0.3:
                p.type = kind.UNUSED
            if name == "suffix":
                p.score = round(p.score / 20)  # many equal scores: the leftmost pair is first
        sp = save(f"odd_{name}.model", proto.SerializeToString())
        cases = make_cases(random.Random(name), words, 350)[:350]
        cases += [(1, "".join(random_word(rng, words) + rng.choice(user + [" ", "s", "k", "n"] * 2) for _ in range(4)).encode()) for _ in range(150)]
        write_cases(f"odd_{name}.cases", sp, [c for c in cases if c[0] < 500])


def phrases_model(text, words):
    """As the nano planner's: a space is a piece of its own, and so is what all plans have in common."""
    user = [x.replace(" ", SPACE) for x in (" ", '"thoughts🤔"', '"actions🚀"', '"actions🚀" []', '"actions🚀" [{"API_name": "', '", "API_params": {}}]',
                                            '"value👉"', '"value👉" I will use ', " to help to answer the question.")]
    sp = save("phrases.model", train(text, vocab_size=600, byte_fallback=True, split_digits=True, character_coverage=0.985,
                                     allow_whitespace_only_pieces=True, remove_extra_whitespaces=False, user_defined_symbols=user))
    rng = random.Random("phrases")
    texts = ["".join(random_word(rng, words) + rng.choice([u.replace(SPACE, " ") for u in user] + [" ", "\n", "[]"] * 2) for _ in range(6)) for _ in range(120)]
    write_cases("phrases.cases", sp, [(1, x.encode()) for x in texts])


def main():
    os.makedirs(OUT, exist_ok=True)
    texts = catalogues()
    texts["code"] = code()
    text = "\n".join(texts.values())
    words = {k: [w for w in sorted(set(v.split())) if len(w) < 24] for k, v in texts.items()}
    print(f"{len(texts)} languages, {len(text)} characters")
    model = train(text, vocab_size=3000, byte_fallback=True, split_digits=True, character_coverage=0.985,
                  max_sentencepiece_length=16, allow_whitespace_only_pieces=True, remove_extra_whitespaces=False,
                  add_dummy_prefix=True, pad_id=-1)
    sp = save("tokenizer.model", model)
    with open(os.path.join(OUT, "tokenizer.json"), "w", encoding="utf-8") as f:
        json.dump(to_json(pb.ModelProto.FromString(model)), f, ensure_ascii=False, separators=(",", ":"))
    write_cases("tokenizer.cases", sp, make_cases(random.Random(1), words, 6000))
    odd_models("\n".join(texts[k] for k in ("en", "fr", "code")), {k: words[k] for k in ("en", "fr", "ru", "code")})
    phrases_model(texts["en"], {"en": words["en"]})


if __name__ == "__main__":
    sys.exit(main())
