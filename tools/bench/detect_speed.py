#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seconds and peak memory of `llava-plus skill run detect` beside PyTorch: Grounding DINO on Swin-T at 800 x 1200 px with
random weights, a caption of 11 tokens, as many threads. Ours is the whole program, with the start and the opening of the
weights; PyTorch's is the model's pass alone, once it is warm. Needs torch, transformers, safetensors and pillow.

    detect_speed.py [--precision f32|bf16] [--threads 2] [--rounds 3] [--models DIR] [--binary build/release/src/cli/llava-plus]

With bf16 our weights are bfloat16, and PyTorch runs under autocast."""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CAPTION = "the of . a the . on the ."
SWIN_T = dict(model_type="swin", window_size=7, image_size=224, embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24],
              out_indices=[2, 3, 4])


def write_model(folder, precision):
    import torch
    from PIL import Image
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, GroundingDinoImageProcessor
    torch.manual_seed(0)
    model = GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=dict(SWIN_T)))
    model.to(torch.bfloat16 if precision == "bf16" else torch.float32).save_pretrained(folder)
    GroundingDinoImageProcessor().save_pretrained(folder)
    shutil.copy(os.path.join(TOP, "tests", "golden", "wordpiece", "vocab.txt"), folder)
    noise = torch.randint(0, 256, (800, 1200, 3), dtype=torch.uint8).numpy()
    Image.fromarray(noise).save(os.path.join(folder, "picture.png"))


def run_torch(folder, precision, threads, rounds):
    import torch
    from transformers import GroundingDinoForObjectDetection
    torch.set_num_threads(threads)
    model = GroundingDinoForObjectDetection.from_pretrained(folder, torch_dtype=torch.float32).eval()
    pixels, ids = torch.randn(1, 3, 800, 1200), torch.tensor([[2] + [7] * 9 + [3]])
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        for i in range(rounds + 1):
            start = time.time()
            model(pixels, ids)
            if i:
                print(time.time() - start)


def child(command, env):
    start = time.time()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return time.time() - start, out, usage.ru_maxrss / 1024


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--binary", default=os.path.join(TOP, "build", "release", "src", "cli", "llava-plus"))
    p.add_argument("--models", help="a folder to keep the weights in")
    p.add_argument("--torch", help=argparse.SUPPRESS)  # the parts that need torch run in a process of their own
    p.add_argument("--write", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.write:
        return write_model(a.write, a.precision)
    if a.torch:
        return run_torch(a.torch, a.precision, a.threads, a.rounds)
    with tempfile.TemporaryDirectory() as made:
        models = a.models or made
        folder = os.path.join(models, "grounding-dino")
        if not os.path.exists(folder):
            child([sys.executable, __file__, "--write", folder, "--precision", a.precision], None)
        env = dict(os.environ, LLAVA_PLUS_MODELS=models, OMP_NUM_THREADS=str(a.threads))
        command = [a.binary, "skill", "run", "detect", "--image", os.path.join(folder, "picture.png"), "--caption", CAPTION]
        runs = [child(command, env) for _ in range(a.rounds)]
        ours, ours_mb = statistics.median(r[0] for r in runs), runs[-1][2]
        _, out, torch_mb = child([sys.executable, __file__, "--torch", folder, "--precision", a.precision, "--threads",
                                  str(a.threads), "--rounds", str(a.rounds)], env)
        peer = statistics.median(float(line) for line in out.split())
    print(f"{a.precision}, {a.threads} threads: llava-plus {ours:.2f} s, {ours_mb:.0f} MB; PyTorch {peer:.2f} s, "
          f"{torch_mb:.0f} MB; {peer / ours:.2f} times")


if __name__ == "__main__":
    main()
