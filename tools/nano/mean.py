#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mean.py A.safetensors B.safetensors OUT.safetensors: the mean of two models' weights, tensor by tensor, in bfloat16."""
import json
import struct
import sys
from array import array


def read(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    return header, data


def floats(header, data, name):
    begin, end = header[name]["data_offsets"]
    if header[name]["dtype"] == "F32":
        return array("f", data[begin:end])
    wide = array("I", (half << 16 for half in array("H", data[begin:end])))
    return array("f", wide.tobytes())


def bfloat16(values):
    """Rounded to nearest even."""
    bits = array("I", array("f", values).tobytes())
    return array("H", ((b + 0x7FFF + (b >> 16 & 1)) >> 16 for b in bits)).tobytes()


def main(a, b, out):
    (first, first_data), (second, second_data) = read(a), read(b)
    header, blobs, at = {}, [], 0
    for name in sorted(first, key=lambda n: first[n]["data_offsets"][0]):
        pairs = zip(floats(first, first_data, name), floats(second, second_data, name))
        blobs.append(bfloat16([0.5 * x + 0.5 * y for x, y in pairs]))
        header[name] = {"dtype": "BF16", "shape": first[name]["shape"], "data_offsets": [at, at + len(blobs[-1])]}
        at += len(blobs[-1])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
