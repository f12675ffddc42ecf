# SPDX-License-Identifier: MIT
"""tests/golden/blocks/golden.safetensors: blocks of quantised numbers and what they stand for.

    pip install gguf pywhispercpp safetensors "numpy<3"        # pywhispercpp carries GGML's library
    python tools/golden/blocks.py

For each type T of q8_0, q4_0, q4_K, q6_K:
  T.blocks [n,bytes]     any bits, but finite scales; T.values [n,columns]: gguf's numpy dequantisation of them
  T.reference [n,bytes]  what GGML itself makes of `input` [32,256], block after block
"""
import ctypes
import glob
import os
import site

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

BLOCKS, ROWS = 12, 32
HALVES = {"q8_0": [0], "q4_0": [0], "q4_K": [0, 2], "q6_K": [208]}  # where a block holds binary16 numbers


def library():
    for folder in site.getsitepackages():
        for path in glob.glob(os.path.join(folder, "pywhispercpp.libs", "libggml-base*.so*")):
            return ctypes.CDLL(path)
    raise SystemExit("pywhispercpp is not installed")


def random_blocks(rng, name):
    n_bytes = gguf.GGML_QUANT_SIZES[Type[name.upper()]][1]
    blocks = rng.integers(0, 256, (BLOCKS, n_bytes), dtype=np.uint8)
    for at in HALVES[name]:
        scale = rng.normal(0, 0.02, BLOCKS).astype(np.float16)
        scale[:4] = [65504, -6e-8, 6e-5, 0]  # the largest, the least, a subnormal, zero
        blocks[:, at : at + 2] = scale.view(np.uint8).reshape(BLOCKS, 2)
    return blocks


def inputs(rng):
    """Rows as weights are, and some that are not."""
    x = rng.normal(0, 0.02, (ROWS, 256)).astype(np.float32)
    x[8:16] *= rng.lognormal(0, 0.7, (8, 256)).astype(np.float32)  # heavy tails
    x[16:20] += 0.05  # all of one sign, mostly
    x[20:24, ::37] *= 12  # outliers
    x[24, :] = 0
    x[25, 32:] = 0
    x[26] *= 1e4
    x[27] *= 1e-3
    return x


def reference(base, x, name):
    kind = Type[name.upper()]
    columns, n_bytes = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros((x.size // columns, n_bytes), np.uint8)
    quantize = base.ggml_quantize_chunk
    quantize.restype = ctypes.c_size_t
    quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    quantize(kind.value, x.ctypes.data, out.ctypes.data, 0, ROWS, 256, None)
    return out


def main():
    rng = np.random.default_rng(5)
    base = library()
    x = inputs(rng)
    tensors = {"input": x}
    for name in HALVES:
        blocks = random_blocks(rng, name)
        tensors[name + ".blocks"] = blocks
        tensors[name + ".values"] = gguf.quants.dequantize(blocks, Type[name.upper()]).astype(np.float32)
        tensors[name + ".reference"] = reference(base, x, name)
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden", "blocks")
    os.makedirs(folder, exist_ok=True)
    save_file(tensors, os.path.join(folder, "golden.safetensors"))


main()
