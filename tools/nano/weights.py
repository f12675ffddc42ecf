# SPDX-License-Identifier: MIT
"""Weights in safetensors files as numpy's float32 arrays by name; written as float32 or bfloat16. Needs only numpy."""
import json
import struct

import numpy as np


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name in sorted(header, key=lambda n: header[n]["data_offsets"][0]):
        begin, end = header[name]["data_offsets"]
        if header[name]["dtype"] == "F32":
            values = np.frombuffer(data[begin:end], np.float32)
        else:
            values = (np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16).view(np.float32)
        tensors[name] = values.reshape(header[name]["shape"])
    return tensors


def bfloat16(values):
    """Rounded to nearest even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def write(path, tensors, dtype="F32"):
    header, blobs, at = {}, [], 0
    for name, values in tensors.items():
        blobs.append((bfloat16(values) if dtype == "BF16" else np.ascontiguousarray(values, np.float32)).tobytes())
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + len(blobs[-1])]}
        at += len(blobs[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
