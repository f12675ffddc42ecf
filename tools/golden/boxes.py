# SPDX-License-Identifier: MIT
"""Makes tests/golden/boxes.json: what torchvision.ops does with boxes. Needs torch 2.4 and torchvision 0.19.

Coordinates are eighths and groups few, so that batched_nms, which moves groups apart by adding to coordinates, is exact."""
import json
import os
import random

import torch
from torchvision.ops import batched_nms, box_convert, box_iou, nms

FILE = os.path.join(os.path.dirname(__file__), "..", "..", "tests", "golden", "boxes.json")
FORMS = ["xyxy", "xywh", "cxcywh"]  # in the order of enum lp_box_form


def boxes(rng, n, reach):
    """Clusters of boxes that overlap more or less; some are empty."""
    found = []
    while len(found) < n:
        x, y, w, h = [rng.randint(0, reach) for _ in range(4)]
        for _ in range(rng.randint(1, 5)):
            a, b, c, d = [v + rng.choice([0, 0, 1, 3, 8]) for v in (x, y, w, h)]
            found.append([a / 8, b / 8, (a + c) / 8, (b + d) / 8])
    return found[:n]


def lists(t):
    return [round(x, 9) for x in t.flatten().tolist()]


rng = random.Random(1)
cases = []
for i in range(24):
    n = [1, 2, 7, 20, 40][i % 5]
    b = boxes(rng, n, rng.choice([8, 40, 200]))
    s = [rng.randint(0, 50) / 64 for _ in b] if i % 3 else [x / 64 for x in rng.sample(range(64), n)]
    g = [rng.randint(0, 3) for _ in b]
    most = rng.choice([0, 0.3, 0.5, 0.8, 1])
    t = torch.tensor(b)
    if i % 3:  # torchvision leaves the order of equal scores open where there are groups
        kept = nms(t, torch.tensor(s), most).tolist()
        g = None
    else:
        kept = batched_nms(t, torch.tensor(s), torch.tensor(g), most).tolist()
    cases.append([most, lists(t), s, g, kept])
torch.manual_seed(1)
sized = torch.rand(6, 4)
converted = [[i, k, lists(box_convert(box_convert(sized, "cxcywh", FORMS[i]), FORMS[i], FORMS[k]))] for i in range(3) for k in range(3)]
start = [lists(box_convert(sized, "cxcywh", form)) for form in FORMS]
corners = box_convert(sized, "cxcywh", "xyxy")
with open(FILE, "w") as f:
    text = json.dumps({"suppress": cases, "start": start, "convert": converted, "iou": lists(box_iou(corners, corners))}, separators=(",", ":"))
    f.write(text.replace("]],[", "]],\n[") + "\n")
