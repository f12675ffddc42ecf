# SPDX-License-Identifier: MIT
"""Makes tests/image/golden/*.txt: what Pillow, transformers' CLIPImageProcessor and pycocotools answer.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install numpy pillow==11.3.0 transformers==4.46.3 pycocotools
    /tmp/golden/bin/python tools/golden/image.py

Pillow 13 resizes rows first where that is cheaper, which moves some results by 1; every one before it, and so every
model we run, has columns first.

Pictures and masks are made from a seed by the formulas below, which tests/image/golden.h repeats; of the outputs only
the CRC-32 is kept, and a few values in full."""
import os
import random
import zlib

import numpy as np
from PIL import Image
from pycocotools import mask as coco
from transformers import CLIPImageProcessor

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "image", "golden")


def noise(seed, n):
    """n bytes: a 32-bit integer hash (lowbias32) of the index."""
    x = (np.arange(n, dtype=np.uint64) + np.uint64(seed * 0x9E3779B9 % 2**32)).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return (x & np.uint32(255)).astype(np.uint8)


def picture(seed, w, h):
    """Even seeds: noise, the hardest case. Odd seeds: a slope in each channel, as smooth as photographs."""
    if seed % 2 == 0:
        return noise(seed, w * h * 3).reshape(h, w, 3)
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([(x * 3 + y) % 256, (x + y * 2 + seed) % 256, (x * y // 64) % 256], -1).astype(np.uint8)


def mask(kind, seed, w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.asfortranarray([
        lambda: np.zeros((h, w), np.uint8),
        lambda: np.ones((h, w), np.uint8),
        lambda: (noise(seed, w * h).reshape(h, w) < 96).astype(np.uint8),
        lambda: ((3 * x - w) ** 2 + (3 * y - h) ** 2 < min(w, h) ** 2).astype(np.uint8),
        lambda: (x // 3 % 2).astype(np.uint8),
        lambda: (y // 5 % 2).astype(np.uint8)][kind]())


def crc(array):
    return "%08x" % zlib.crc32(np.ascontiguousarray(array).tobytes())


def write(name, lines):
    with open(os.path.join(FOLDER, name), "w") as f:
        f.write("\n".join(lines) + "\n")


def resizes():
    """seed w h W H filter crc"""
    rng = random.Random(1)
    filters = [Image.BILINEAR, Image.BICUBIC, Image.LANCZOS]
    sizes = [(1, 1, 7, 5), (1, 40, 9, 13), (40, 1, 13, 9), (37, 23, 37, 51), (37, 23, 60, 23), (3, 200, 200, 3), (640, 3, 5, 1),
             (300, 301, 1, 1), (33, 47, 33, 47), (5000, 2, 3, 2), (2, 9000, 2, 1)]
    sizes += [tuple(rng.randint(1, rng.choice([8, 60, 400])) for _ in range(4)) for _ in range(110)]
    lines = []
    for i, (w, h, W, H) in enumerate(sizes):
        image = Image.fromarray(picture(i, w, h))
        for f, name in enumerate(filters):
            lines.append("%d %d %d %d %d %d %s" % (i, w, h, W, H, f, crc(np.asarray(image.resize((W, H), name)))))
    write("resize.txt", lines)


def expand2square(image, color):
    """As LLaVA's mm_utils does it."""
    side = max(image.size)
    square = Image.new("RGB", (side, side), color)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def preprocesses():
    """seed w h size crop aspect crc, then the three channels of the middle pixel"""
    sizes = [(640, 480), (333, 517), (336, 336), (224, 224), (97, 41), (41, 97), (1, 30), (30, 1), (1000, 37), (500, 499), (223, 225),
             (1200, 801), (13, 13), (64, 65)]
    lines = []
    for i, (w, h) in enumerate(sizes):
        image = Image.fromarray(picture(i, w, h))
        for size, crop in [(224, 224), (336, 336), (40, 32), (33, 33)]:
            processor = CLIPImageProcessor(size={"shortest_edge": size}, crop_size={"height": crop, "width": crop})
            for aspect in range(2):
                shown = image
                if aspect == 1:
                    shown = expand2square(image, tuple(int(x * 255) for x in processor.image_mean))
                values = processor.preprocess(shown, return_tensors="np", input_data_format="channels_last")
                values = values["pixel_values"][0]
                assert values.dtype == np.float32 and values.shape == (3, crop, crop)
                few = " ".join("%.9g" % v for v in values[:, crop // 2, crop // 2])
                lines.append("%d %d %d %d %d %d %s %s" % (i, w, h, size, crop, aspect, crc(values), few))
    write("preprocess.txt", lines)


def rles():
    """kind seed w h counts"""
    rng = random.Random(2)
    lines = []
    for i in range(60):
        kind, w, h = i % 6, rng.randint(1, 70), rng.randint(1, 70)
        if i >= 54:
            w, h = rng.choice([(1, 300), (300, 1), (640, 48), (1, 1)])
        lines.append("%d %d %d %d %s" % (kind, i, w, h, coco.encode(mask(kind, i, w, h))["counts"].decode()))
    lines.append("3 0 1500 1100 " + coco.encode(mask(3, 0, 1500, 1100))["counts"].decode())
    write("rle.txt", lines)


os.makedirs(FOLDER, exist_ok=True)
resizes()
preprocesses()
rles()
