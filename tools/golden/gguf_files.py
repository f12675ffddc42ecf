#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/gguf: files as llama.cpp's converters write them, through its own Python package.

    pip install gguf==0.19.0 sentencepiece safetensors numpy
    python3 tools/golden/gguf_files.py          # byte for byte the same each time

language.gguf, mmproj.gguf      tests/golden/llava_mlp in float32, queries and keys permuted, CLIP's fc1 and fc2 under the
                                legacy exporter's swapped names; the tokenizer of the same folder
blocks.gguf                     a tensor of each type that we read, one q and one k matrix of q8_0 rows, and metadata of
                                every type. plain.safetensors holds the same q and k rows in Hugging Face's order
tests/fuzz/seeds/gguf           small files for the fuzz target, most of them wrong
"""
import json
import os
import struct

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Q
from gguf import GGUFValueType as V
from safetensors.numpy import load_file, save_file
from sentencepiece import SentencePieceProcessor

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden")
OUT = os.path.join(GOLDEN, "gguf")
SEEDS = os.path.join(GOLDEN, "..", "fuzz", "seeds", "gguf")
FROM = os.path.join(GOLDEN, "llava_mlp")


def permute(w, heads):
    """Hugging Face's rows of a query or key matrix -> llama.cpp's: the halves of each head take turns."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def add_tokenizer(w):
    sp = SentencePieceProcessor(model_file=os.path.join(FROM, "tokenizer.model"))
    n = sp.vocab_size()
    kind = [2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1 for i in range(n)]
    w.add_tokenizer_model("llama")
    w.add_token_list([sp.id_to_piece(i).encode() for i in range(n)])
    w.add_token_scores([sp.get_score(i) for i in range(n)])
    w.add_token_types(kind)
    w.add_bos_token_id(sp.bos_id())
    w.add_eos_token_id(sp.eos_id())
    w.add_add_bos_token(True)


def language(weights, config):
    c = config["text_config"]
    w = gguf.GGUFWriter(os.path.join(OUT, "language.gguf"), "llama")
    heads, key_heads = c["num_attention_heads"], c["num_key_value_heads"]
    w.add_block_count(c["num_hidden_layers"])
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(heads)
    w.add_head_count_kv(key_heads)
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_dimension_count(c["hidden_size"] // heads)
    w.add_vocab_size(c["vocab_size"])
    w.add_file_type(0)
    add_tokenizer(w)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, c["num_hidden_layers"])
    for name, x in weights.items():
        if not name.startswith("language_model."):
            continue
        name = name.removeprefix("language_model.")
        if ".q_proj." in name or ".k_proj." in name:
            x = permute(x, heads if ".q_proj." in name else key_heads)
        w.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), np.ascontiguousarray(x))
    finish(w)


LEGACY = [("multi_modal_projector.linear_1", "mm.0"), ("multi_modal_projector.linear_2", "mm.2"), ("encoder.layers", "blk"),
          ("vision_tower.vision_model", "v"), ("embeddings.", ""), ("self_attn.", "attn_"), ("_proj", ""), ("layer_norm", "ln"),
          ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up"), ("embedding", "embd"), ("pre_layrnorm", "pre_ln")]


def mmproj(weights, config):
    c = config["vision_config"]
    w = gguf.GGUFWriter(os.path.join(OUT, "mmproj.gguf"), "clip")
    layers = c["num_hidden_layers"] - 1  # the last block and the last norm are left out
    w.add_bool("clip.has_text_encoder", False)
    w.add_bool("clip.has_vision_encoder", True)
    w.add_bool("clip.has_llava_projector", True)
    w.add_string("clip.projector_type", "mlp")
    w.add_uint32("clip.vision.image_size", c["image_size"])
    w.add_uint32("clip.vision.patch_size", c["patch_size"])
    w.add_uint32("clip.vision.embedding_length", c["hidden_size"])
    w.add_uint32("clip.vision.feed_forward_length", c["intermediate_size"])
    w.add_uint32("clip.vision.projection_dim", 16)
    w.add_uint32("clip.vision.attention.head_count", c["num_attention_heads"])
    w.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    w.add_uint32("clip.vision.block_count", layers)
    w.add_array("clip.vision.image_mean", [0.48145466, 0.4578275, 0.40821073])
    w.add_array("clip.vision.image_std", [0.26862954, 0.26130258, 0.27577711])
    w.add_bool("clip.use_gelu", False)
    for name, x in weights.items():
        if name.startswith("language_model.") or f"layers.{layers}." in name or "post_layernorm" in name:
            continue
        for old, new in LEGACY:
            name = name.replace(old, new)
        w.add_tensor(name, np.ascontiguousarray(x))
    finish(w)


def blocks():
    rng = np.random.default_rng(4)
    w = gguf.GGUFWriter(os.path.join(OUT, "blocks.gguf"), "llama")
    w.add_uint32("llama.attention.head_count", 3)
    w.add_uint32("llama.attention.head_count_kv", 1)
    for name, value in [("uint8", 200), ("int8", -100), ("uint16", 60000), ("int16", -30000), ("uint32", 4000000000),
                        ("int32", -2000000000), ("uint64", 1 << 63), ("int64", -(1 << 63)), ("float32", 0.5),
                        ("float64", 0.1), ("bool", True), ("string", "a text, é")]:
        w.add_key_value(f"test.{name}", value, getattr(V, name.upper()))
    w.add_array("test.numbers", [1, -2, 3])
    w.add_array("test.texts", ["one", "", "three"])
    w.add_array("test.nested", [[1, 2], [3]])
    values = rng.standard_normal((3, 256)).astype(np.float32)
    w.add_tensor("f32", values[:, :5].copy())
    w.add_tensor("f16", values[:, :7].astype(np.float16))
    bf16 = (values[:, :9].copy().view(np.uint32) >> 16).astype(np.uint16)
    w.add_tensor("bf16", bf16.view(np.uint8), raw_dtype=Q.BF16)
    for kind, bytes_ in [(Q.Q8_0, 8 * 34), (Q.Q4_0, 8 * 18), (Q.Q4_K, 144), (Q.Q6_K, 210)]:
        w.add_tensor(kind.name.lower(), rng.integers(0, 256, (3, bytes_), dtype=np.uint8), raw_dtype=kind)
    plain = {}
    for name, heads in [("q", 3), ("k", 1)]:  # heads of 4 rows
        x = rng.standard_normal((4 * heads, 64)).astype(np.float32)
        plain[name] = gguf.quants.quantize(x, Q.Q8_0)
        w.add_tensor(f"blk.0.attn_{name}.weight", gguf.quants.quantize(permute(x, heads), Q.Q8_0), raw_dtype=Q.Q8_0)
    finish(w)
    save_file(plain, os.path.join(OUT, "plain.safetensors"))


def seed(name, arch, metadata, tensors, cut=None):
    """A small file for the fuzz target, with its first bytes only where cut says how many."""
    path = os.path.join(SEEDS, name)
    w = gguf.GGUFWriter(path, arch)
    for key, (value, kind) in metadata.items():
        w.add_key_value(key, value, kind, *([V.STRING] if key.endswith("tokens") else [V.FLOAT32] if key.endswith("scores")
                                            else [V.INT32] if kind == V.ARRAY else []))
    for key, x in tensors.items():
        w.add_tensor(key, x)
    finish(w)
    with open(path, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(data[:cut])


def seeds():
    os.makedirs(SEEDS, exist_ok=True)
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)] + ["\u2581", "a", "\u2581a", "<image>"]
    sizes = {"embedding_length": 8, "block_count": 1, "feed_forward_length": 4}
    language = {f"llama.{k}": (v, V.UINT32) for k, v in sizes.items()}
    language |= {"llama.attention.head_count": (2, V.UINT32), "llama.context_length": (9, V.UINT32),
                 "llama.rope.freq_base": (500.0, V.FLOAT32), "tokenizer.ggml.model": ("llama", V.STRING),
                 "tokenizer.ggml.tokens": (names, V.ARRAY), "tokenizer.ggml.scores": ([-float(i) for i in range(263)], V.ARRAY),
                 "tokenizer.ggml.token_type": ([2, 3, 3] + [6] * 256 + [1, 1, 1, 4], V.ARRAY),
                 "tokenizer.ggml.bos_token_id": (1, V.UINT32), "tokenizer.ggml.add_bos_token": (True, V.BOOL)}
    x = np.arange(64, dtype=np.float32).reshape(8, 8)
    tensors = {"blk.0.attn_q.weight": x, "blk.0.attn_k.weight": x.astype(np.float16), "output_norm.weight": x[0].copy()}
    vision = {f"clip.vision.{k}": (v, V.UINT32) for k, v in sizes.items()}
    vision |= {"clip.vision.image_size": (28, V.UINT32), "clip.vision.patch_size": (14, V.UINT32),
               "clip.vision.attention.head_count": (2, V.UINT32), "clip.use_gelu": (False, V.BOOL)}
    seed("language", "llama", language, tensors)
    seed("three_heads", "llama", language | {"llama.attention.head_count": (3, V.UINT32)}, tensors)
    seed("cut_tensor", "llama", {}, tensors, -1)
    seed("cut_array", "llama", language, {}, 700)
    seed("vision", "clip", vision, {"v.blk.0.ffn_down.weight": x[:4].copy(), "mm.0.weight": x})
    with open(os.path.join(SEEDS, "zero_dim"), "wb") as f:
        f.write(struct.pack("<4sIQQQ1sI2QIQ", b"GGUF", 3, 1, 0, 1, b"a", 2, 0, 1 << 63, 0, 0))
    with open(os.path.join(SEEDS, "nested"), "wb") as f:
        f.write(struct.pack("<4sIQQQ1sI", b"GGUF", 2, 0, 1, 1, b"a", 9) + struct.pack("<IQ", 9, 1) * 7 + struct.pack("<IQ", 0, 0))
    with open(os.path.join(SEEDS, "huge_counts"), "wb") as f:
        f.write(struct.pack("<4sIQQ", b"GGUF", 3, (1 << 64) - 1, (1 << 64) // 14 + 1))


def main():
    os.makedirs(OUT, exist_ok=True)
    weights = load_file(os.path.join(FROM, "model.safetensors"))
    with open(os.path.join(FROM, "config.json")) as f:
        config = json.load(f)
    language(weights, config)
    mmproj(weights, config)
    blocks()
    seeds()


if __name__ == "__main__":
    main()
