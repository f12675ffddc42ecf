#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mean.py A.safetensors B.safetensors OUT.safetensors: the mean of two models' weights, tensor by tensor, in bfloat16."""
import sys

from weights import read, write


def main(a, b, out):
    first, second = read(a), read(b)
    write(out, {name: (first[name] + second[name]) / 2 for name in first}, "BF16")


if __name__ == "__main__":
    main(*sys.argv[1:])
