#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeing a picture: ours beside PyTorch, llama.cpp and ik_llama.cpp, taking turns in one run. See pictures.sh."""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# Memory that PyTorch has freed stays with it: its best setting by far where fresh pages are dear.
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "1099511627776"}


def run(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if done.returncode:
        sys.exit("%s failed: %s" % (" ".join(command), done.stderr.strip()[-600:]))
    return done.stdout + done.stderr


def make_models(q):
    """The files that both sides read, and a photo of 12 megapixels."""
    os.makedirs(q.work, exist_ok=True)
    path = lambda name: os.path.join(q.work, name)
    if not os.path.exists(path("photo.jpg")):
        import numpy as np
        from PIL import Image
        y, x = np.mgrid[0:3000, 0:4000]
        waves = np.stack([128 + 90 * np.sin(x / 97 + y / 311), 128 + 90 * np.cos(y / 53), 128 + 60 * np.sin((x + y) / 29)], -1)
        noise = np.random.default_rng(0).normal(0, 8, waves.shape)
        Image.fromarray((waves + noise).clip(0, 255).astype("uint8")).save(path("photo.jpg"), quality=90)
    for name in q.what:
        if name == "clip":
            generator = [sys.executable, os.path.join(HERE, "random_gguf.py")]
            for kind in ("f16", "bf16"):
                if not os.path.exists(path("mmproj-%s.gguf" % kind)):
                    run([*generator, "clip", kind, path("mmproj-%s.gguf" % kind), "2048"])
            if not os.path.exists(path("language.gguf")):
                run([*generator, "llama", "1b", "q4_0", path("language.gguf")])
        elif not os.path.exists(path(name + "/model.safetensors")):
            import torch
            from transformers import SamConfig, SamImageProcessor, SamModel, SamVisionConfig
            sizes = {"sam-b": (768, 12, 12, [2, 5, 8, 11]), "sam-h": (1280, 32, 16, [7, 15, 23, 31])}[name]
            vision = SamVisionConfig(hidden_size=sizes[0], num_hidden_layers=sizes[1], num_attention_heads=sizes[2],
                                     global_attn_indexes=sizes[3], mlp_dim=4 * sizes[0])
            model = SamModel(SamConfig(vision_config=vision.to_dict()))
            for weight, value in model.named_parameters():
                if "rel_pos" in weight or "pos_embed" in weight:
                    torch.nn.init.normal_(value, std=0.02)
            model.save_pretrained(path(name))
            SamImageProcessor().save_pretrained(path(name))
    return path


def ours(q, path, what, kind):
    model = ["--model", path("language.gguf"), "--mmproj", path("mmproj-%s.gguf" % kind)] if what == "clip" else ["--sam", path(what)]
    out = run([q.binary, "bench", "pictures", *model, "--image", path("photo.jpg"), "-r", str(q.runs), "--json"],
              {"OMP_NUM_THREADS": str(q.threads)})
    found = json.loads(out[out.index("{"):])
    parts = ("planner_encode", "planner_prepare") if what == "clip" else ("sam_encode", "sam_click")
    stages = {name: (stage["ms"], stage["gflop"]) for name, stage in found[parts[0]].items() if isinstance(stage, dict)}
    return {"encode": found[parts[0]]["ms"], parts[1].split("_")[1]: found[parts[1]]["ms"], "MiB": found["peak_mib"],
            "stages": stages, "peak": found["peak_gflops"]}


def pytorch(q, path, what, kind, mode):
    out = run([sys.executable, os.path.join(HERE, "pictures_torch.py"), what, path(what), kind, mode, str(q.threads), str(q.runs)], KEPT)
    found = json.loads(out[out.index('{"encode_ms'):].splitlines()[0])
    row = {"encode": statistics.median(found["encode_ms"]), "MiB": found["peak_mib"]}
    if found["click_ms"]:
        row["click"] = statistics.median(found["click_ms"])
    return row


def peer(q, path, folder, kind):
    out = run(["/usr/bin/time", "-f", "RSS=%M", folder + "/llama-mtmd-cli", "-m", path("language.gguf"), "--mmproj",
               path("mmproj-%s.gguf" % kind), "-t", str(q.threads), "-n", "1", "-c", "4096", "--chat-template", "vicuna",
               *(["--image", os.path.join(HERE, "../../examples/sign.jpg")] * q.runs), "-p", "<__media__>" * q.runs + " what?"])
    times = [float(ms) for ms in re.findall(r"(?:slice encoded|batch encoding done) in\s+(\d+)", out)]
    return {"encode": statistics.median(times), "MiB": int(re.search(r"RSS=(\d+)", out).group(1)) / 1024}


def contestants(q, path, what):
    """Name -> one measurement. Ours come first."""
    kinds = ("f16", "bf16") if what == "clip" else ("f32",)
    found = {"llava-plus, %s file" % k: (lambda k=k: ours(q, path, what, k)) for k in kinds}
    for name, folder in (("llama.cpp", q.llama_cpp), ("ik_llama.cpp", q.ik_llama_cpp)):
        for kind in kinds if folder and what == "clip" else ():
            found["%s, %s" % (name, kind)] = lambda f=folder, k=kind: peer(q, path, f, k)
    for mode in ("eager", "compiled") if q.compile else ("eager",):
        for kind in q.torch_types:
            found["PyTorch %s, %s" % (kind, mode)] = lambda k=kind, m=mode: pytorch(q, path, what, k, m)
    return found


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--binary", default="build/release/src/cli/llava-plus")
    a.add_argument("--llama-cpp", help="folder with llama.cpp's llama-mtmd-cli")
    a.add_argument("--ik-llama-cpp", help="the same of ik_llama.cpp")
    a.add_argument("--what", default="clip,sam-b,sam-h", type=lambda s: s.split(","))
    a.add_argument("--torch-types", default="bf16,f32", type=lambda s: s.split(",") if s else [])
    a.add_argument("--compile", action="store_true", help="also PyTorch's torch.compile")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--runs", type=int, default=3, help="of one program in one round")
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--work", default="build/pictures-speed", help="where the random models are made")
    q = a.parse_args()
    path = make_models(q)
    for what in q.what:
        rows = {}
        for _ in range(q.rounds):
            for name, measure in contestants(q, path, what).items():
                rows.setdefault(name, []).append(measure())
        keys = ["encode", "prepare" if what == "clip" else "click", "MiB"]
        median = {n: {k: statistics.median(r[k] for r in found if k in r) for k in keys if k in found[0]} for n, found in rows.items()}
        best = min(median[n]["encode"] for n in median if n.startswith("llava-plus"))
        print("\n%s, %d threads, medians of %d rounds of %d; ms" % (what, q.threads, q.rounds, q.runs))
        print("%-28s" % "" + "".join("%12s" % k for k in keys) + "%16s" % "of ours")
        for n, row in median.items():
            print("%-28s" % n + "".join("%12.1f" % row[k] if k in row else " " * 12 for k in keys) + "%15.2fx" % (row["encode"] / best))
        first = next(iter(rows.values()))
        for stage in first[0]["stages"]:
            ms = statistics.median(r["stages"][stage][0] for r in first)
            gflop, peak = first[0]["stages"][stage][1], statistics.median(r["peak"] for r in first)
            print("  %-26s%12.1f" % (stage, ms) + ("%12.0f GFLOP/s, %.0f %% of the peak %.0f" % (
                gflop / ms * 1000, 100 * gflop / ms * 1000 / peak, peak) if gflop else ""), flush=True)


main()
