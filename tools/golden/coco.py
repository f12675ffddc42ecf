# SPDX-License-Identifier: MIT
"""Makes tests/golden/coco/: random COCO annotations and results with pycocotools' numbers for them, and single shapes.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install "numpy<2" pycocotools==2.0.11
    /tmp/golden/bin/python tools/golden/coco.py                     # the same bytes each time
    /tmp/golden/bin/python tools/golden/coco.py PROGRAM COUNT       # compares the program with pycocotools on COUNT more sets
"""
import contextlib
import copy
import io
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden", "coco")
CATEGORIES = [44, 3, 18, 7, 90]  # 90 is never there, 44 never found


def ellipse(w, h, box):
    """[h, w] of 0 and 1: the ellipse in a box, with a nibble taken out."""
    y, x = np.mgrid[0:h, 0:w]
    cx, cy, rx, ry = box[0] + box[2] / 2, box[1] + box[3] / 2, max(box[2] / 2, 0.5), max(box[3] / 2, 0.5)
    inside = ((x + 0.5 - cx) / rx) ** 2 + ((y + 0.5 - cy) / ry) ** 2 <= 1
    return np.asfortranarray((inside & ((x > cx) | (y > cy - ry / 3))).astype(np.uint8))


def compressed(mask):
    rle = masks.encode(mask)
    return {"size": list(map(int, rle["size"])), "counts": rle["counts"].decode()}


def plain(mask):
    flat, runs, inside = mask.flatten(order="F"), [0], 0
    for v in flat:
        if v != inside:
            runs.append(0)
            inside = v
        runs[-1] += 1
    return {"size": list(mask.shape), "counts": runs}


def outlines(rng, box):
    """One or two star-shaped polygons about the box, which may leave it and the picture; in fractions of pixels."""
    found = []
    for part in range(rng.choice([1, 1, 2])):
        n = rng.randint(3, 12)
        cx, cy = box[0] + box[2] * rng.uniform(0.4, 0.6), box[1] + box[3] * rng.uniform(0.4, 0.6)
        points = []
        for i in range(n):
            r = rng.uniform(0.6, 1.1)
            points += [round(cx + box[2] / 2 * r * math.cos(2 * math.pi * i / n), 2),
                       round(cy + box[3] / 2 * r * math.sin(2 * math.pi * i / n), 2)]
        found.append(points)
    return found


def random_box(rng, w, h, tiny):
    side = rng.choice([3, 8]) if tiny else rng.choice([6, 30, 60, 110, 180])
    bw, bh = rng.uniform(0.5, 1) * side, rng.uniform(0.5, 1) * side
    return [round(v, 1) for v in (rng.uniform(-2, w - bw / 2), rng.uniform(-2, h - bh / 2), bw, bh)]


def jitter(rng, box, how):
    amount = rng.choice([0, 0, 0.03, 0.1, 0.3]) * how
    x, y, w, h = [v + rng.uniform(-amount, amount) * box[2 + i % 2] for i, v in enumerate(box)]
    return [round(v, 1) for v in (x, y, max(w, 0), max(h, 0))]


def make(seed, kind, pictures=10, things=5, tiny=False, first_id=1, crowded=False):
    """kind: boxes, runs (masks as run lengths), polygons."""
    rng = random.Random(seed)
    truth = {"categories": [{"id": c, "name": "kind %d" % c} for c in CATEGORIES], "images": [], "annotations": []}
    results = []
    ids = rng.sample(range(1, 10 * pictures), pictures)
    for image in ids:
        w, h = rng.randint(120, 220), rng.randint(120, 200)
        truth["images"].append({"id": image, "width": w, "height": h, "file_name": "%d.jpg" % image})
        for k in range(rng.randint(0, things)):
            box, category, crowd = random_box(rng, w, h, tiny), rng.choice(CATEGORIES[:4]), rng.random() < 0.12
            a = {"id": len(truth["annotations"]) + first_id, "image_id": image, "category_id": category, "iscrowd": int(crowd)}
            if kind == "boxes":
                a["bbox"], a["area"] = box, rng.choice([round(box[2] * box[3] * 0.7, 2), 1024, 9216])
            elif kind == "polygons" and not crowd:
                a["segmentation"] = outlines(rng, box)
                a["area"] = float(masks.area(masks.merge(masks.frPyObjects(a["segmentation"], h, w))))
                a["bbox"] = box
            else:
                mask = ellipse(w, h, box)
                a["segmentation"] = plain(mask) if crowd else compressed(mask)
                a["area"], a["bbox"] = int(mask.sum()), box
            truth["annotations"].append(a)
            for copy_number in range(rng.choice([0, 1, 1, 2, 3]) if not crowd else rng.randint(0, 6)):
                near = jitter(rng, box, 1 if not crowd else 2)
                results.append(result(rng, kind, image, w, h, category if rng.random() < 0.9 else rng.choice(CATEGORIES[:4]), near))
        for k in range(rng.choice([0, 1, 3]) if not crowded else 140):
            results.append(result(rng, kind, image, w, h, rng.choice(CATEGORIES), random_box(rng, w, h, tiny)))
    results = [r for r in results if r["category_id"] != 44]
    rng.shuffle(results)
    return truth, results


def result(rng, kind, image, w, h, category, box):
    """Scores are few, so that many are equal."""
    r = {"image_id": image, "category_id": category, "score": rng.randint(-1, 20) / 20}
    if kind != "runs":
        r["bbox"] = box
    if kind == "runs":
        r["segmentation"] = compressed(ellipse(w, h, box))
    elif kind == "polygons":
        r["segmentation"] = outlines(rng, box)
    return r


def mean(values):
    values = values[values > -1]
    return round(float(values.mean()), 7) if values.size else -1


def evaluate(truth, results, kind, most=100, agnostic=False, chosen=None):
    with contextlib.redirect_stdout(io.StringIO()):
        t = COCO()
        t.dataset = copy.deepcopy(truth)
        t.createIndex()
        e = COCOeval(t, t.loadRes(copy.deepcopy(results)), kind)
        e.params.maxDets = [1, 10, most]
        e.params.useCats = int(not agnostic)
        if chosen:
            e.params.catIds = chosen
        e.evaluate()
        e.accumulate()
        e.summarize()
    stats = [float(x) for x in e.stats]
    stats[0] = mean(e.eval["precision"][:, :, :, 0, 2])  # pycocotools looks for 100 there
    rows = []
    for k, category in enumerate([-1] if agnostic else e.params.catIds):
        p, r = e.eval["precision"][:, :, k, :, 2], e.eval["recall"][:, k, 0, 2]
        rows.append([int(category), mean(p[:, :, 0]), mean(p[0, :, 0]), mean(p[5, :, 0]), mean(p[:, :, 1]), mean(p[:, :, 2]),
                     mean(p[:, :, 3]), mean(r)])
    return {"masks": kind == "segm", "most": most, "agnostic": agnostic, "chosen": chosen,
            "stats": [round(x, 7) for x in stats], "categories": rows}


SETS = {
    "boxes": (dict(seed=1, kind="boxes"), ["bbox", "segm"]),
    "boxes_many": (dict(seed=2, kind="boxes", pictures=3, crowded=True), ["bbox"]),
    "boxes_tiny": (dict(seed=3, kind="boxes", tiny=True, pictures=14), ["bbox"]),
    "boxes_id0": (dict(seed=21, kind="boxes", pictures=3, first_id=0), ["bbox"]),
    "runs": (dict(seed=5, kind="runs", pictures=8), ["segm", "bbox"]),
    "runs_tiny": (dict(seed=6, kind="runs", tiny=True), ["segm"]),
    "polygons": (dict(seed=7, kind="polygons"), ["segm", "bbox"]),
    "nothing_there": (dict(seed=8, kind="boxes", pictures=8, things=0), ["bbox"]),
}


def sets():
    for name, (how, kinds) in SETS.items():
        truth, results = make(**how)
        if name == "boxes":  # masks, too, so that boxes are compared with them
            for a in truth["annotations"]:
                x, y, w, h = a["bbox"]
                a["segmentation"] = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        cases = [evaluate(truth, results, kind) for kind in kinds]
        cases.append(evaluate(truth, results, kinds[0], agnostic=True))
        if name != "nothing_there":
            cases.append(evaluate(truth, results, kinds[0], most=12, chosen=[7, 18]))
        for part, value in (("truth", truth), ("results", results), ("expected", cases)):
            write("%s.%s.json" % (name, part), value)


def write(name, value):
    """One line a record."""
    text = json.dumps(value, separators=(",", ":"))
    for end in ("},{", "],[\"", "]],[["):
        text = text.replace(end, end.replace(",", ",\n"))
    with open(os.path.join(FOLDER, name), "w") as f:
        f.write(text + "\n")


def shapes():
    rng = random.Random(9)
    polygons = []
    fixed = [[[0, 0, 0, 5, 5, 5, 5, 0]], [[1, 1, 1, 1, 1, 1]], [[2.5, 2.5, 2.5, 7.5, 7.5, 7.5, 7.5, 2.5]], [[-30, -30, 60, -30, 60, 60, -30, 60]],
             [[0, 0, 9, 9, 9, 0, 0, 9]], [[3, 0, 3, 9, 3, 9]], [[0, 3, 9, 3, 9, 4, 0, 4]], [[-5, 4, 4, -5, 15, 4, 4, 15]],
             [[1, 1, 6, 1, 6, 6, 1, 6], [4, 4, 9, 4, 9, 9, 4, 9]], [[0, 0, 10, 0, 10, 12, 0, 12], [2, 2, 4, 2, 4, 4, 2, 4]],
             [[9.9, 0, 9.9, 12, 10.5, 12, 10.5, 0]], [[-4, -4, -4, 20, -2, 20, -2, -4]], [[1e6, 1e6, -1e6, 1e6, 0, -1e6]],
             [[0.1, 0.1, 9.7, 0.3, 9.5, 11.9, 0.2, 11.6]]]
    cases = [(10, 12, p) for p in fixed]
    for i in range(150):
        w, h = rng.randint(1, 40), rng.randint(1, 40)
        n = rng.choice([3, 3, 4, 5, 9])
        steps = rng.choice([1, 2, 10, 1000])
        reach = rng.choice([0, 5, 60])
        cases.append((w, h, [[rng.randint(-reach * steps, (max(w, h) + reach) * steps) / steps for _ in range(2 * n)]
                             for _ in range(rng.choice([1, 1, 2, 3]))]))
    for w, h, outline in cases:
        rle = masks.merge(masks.frPyObjects(outline, h, w))
        polygons.append([w, h, outline, rle["counts"].decode(), int(masks.area(rle)), [float(v) for v in masks.toBbox(rle)]])
    pairs = []
    for i in range(60):
        a, b = [[rng.randint(0, 40) / 4 for _ in range(4)] for _ in range(2)]
        crowd = i % 2
        pairs.append([a, b, crowd, round(float(masks.iou(np.array([a]), np.array([b]), [crowd])[0, 0]), 12)])
    overlaps = []
    for i in range(40):
        w, h = rng.randint(3, 30), rng.randint(3, 30)
        a, b = [masks.encode(ellipse(w, h, random_box(rng, w, h, i % 2))) for _ in range(2)]
        crowd = i % 3 == 0
        overlaps.append([w, h, a["counts"].decode(), b["counts"].decode(), int(crowd), round(float(masks.iou([a], [b], [crowd])[0, 0]), 12)])
    write("shapes.json", {"polygons": polygons, "boxes": pairs, "masks": overlaps})


NAMES = ["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_1", "AR_10", "AR_%d", "AR_small", "AR_medium", "AR_large"]


def compare(program, count):
    worst = 0
    for seed in range(1000, 1000 + count):
        kind = ["boxes", "runs", "polygons"][seed % 3]
        truth, results = make(seed, kind, pictures=20, things=8, tiny=seed % 5 == 0, crowded=seed % 11 == 0)
        for masked in [False] + [True] * (kind != "boxes"):
            most = [100, 100, 17][seed % 7 % 3]
            agnostic = seed % 4 == 3
            want = evaluate(truth, results, "segm" if masked else "bbox", most, agnostic)
            with tempfile.TemporaryDirectory() as folder:
                for name, value in (("t", truth), ("r", results)):
                    json.dump(value, open("%s/%s.json" % (folder, name), "w"))
                subprocess.run([program, "eval", "segment" if masked else "detect", "--truth", folder + "/t.json", "--results",
                                folder + "/r.json", "--json", folder + "/o.json", "--max-detections", str(most)] +
                               ["--agnostic"] * agnostic, check=True, stdout=subprocess.DEVNULL)
                got = json.load(open(folder + "/o.json"))
            for name, x in zip(NAMES, want["stats"]):
                y = got[name % most if "%" in name else name]
                worst = max(worst, abs(x - (-1 if y is None else y)))
            for row, x in zip(got["categories"], want["categories"]):
                for name, value in zip(["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_%d" % most], x[1:]):
                    worst = max(worst, abs(value - (-1 if row[name] is None else row[name])))
    print("%d sets, the largest difference %.1e" % (count, worst))


if len(sys.argv) > 2:
    compare(sys.argv[1], int(sys.argv[2]))
else:
    os.makedirs(FOLDER, exist_ok=True)
    sets()
    shapes()
