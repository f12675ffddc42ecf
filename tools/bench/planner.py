#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The real planner's speed beside llama.cpp's and ik_llama.cpp's on the same files, taking turns in one run. See planner.sh."""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

LESS = ("picture s", "start s", "MiB")  # less is better
PICTURE = os.path.join(os.path.dirname(__file__), "../../examples/sign.jpg")


def timed(command, environment=None):
    """What it printed (both streams), and the most memory it used in MiB."""
    with tempfile.NamedTemporaryFile("r") as memory:
        done = subprocess.run(["/usr/bin/time", "-o", memory.name, "-f", "%M", *command], capture_output=True, text=True,
                              env={**os.environ, **(environment or {})})
        if done.returncode:
            sys.exit("%s failed: %s" % (" ".join(command), done.stderr.strip()[-400:]))
        return done.stdout, done.stderr, int(memory.read().split()[-1]) / 1024


class Ours:
    def __init__(self, name, program, threads):
        self.name, self.program = name, program
        self.threads = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "active", "OMP_PROC_BIND": "true"}

    def bench(self, model, clip, *options):
        out, _, mib = timed([self.program, "bench", "planner", "--model", model, "--mmproj", clip, "--json", "-r", "1", *options],
                            self.threads)
        return json.loads(out), mib

    def language(self, model, clip, prompts, tokens):
        row = {}
        for prompt in prompts:
            found, row["MiB"] = self.bench(model, clip, "--blind", "-p", str(prompt), "-n", str(tokens))
            row["read %d" % prompt] = found["prompt_tokens_per_s"]
            row["write"] = found["tokens_per_s"]
        return row

    def batch(self, model, clip):
        return {"write 8": self.bench(model, clip, "--blind", "-p", "8", "-n", "8", "-c", "8")[0]["batch_tokens_per_s"]}

    def picture(self, model, clip):
        return {"picture s": self.bench(model, clip, "-p", "8", "-n", "1")[0]["see_ms"] / 1000}

    def start(self, model, clip):
        start = time.monotonic()
        self.bench(model, clip, "--blind", "-p", "8", "-n", "1")
        return {"start s": time.monotonic() - start}


class Peer:
    """A folder with llama-bench and llama-mtmd-cli."""

    def __init__(self, name, folder, threads, options=()):
        self.name, self.folder, self.threads, self.options = name, folder, threads, list(options)

    def language(self, model, clip, prompts, tokens):
        row = {}
        out, _, row["MiB"] = timed([self.folder + "/llama-bench", "-m", model, "-t", str(self.threads), "-n", str(tokens), "-r", "1", "-o",
                                    "json", *[word for prompt in prompts for word in ("-p", str(prompt))], *self.options])
        for found in json.loads(out[out.index("["):]):
            row["read %d" % found["n_prompt"] if found["n_prompt"] else "write"] = found["avg_ts"]
        return row

    def batch(self, model, clip):
        return {}  # llama-bench writes one conversation

    def picture(self, model, clip):
        out, err, _ = timed([self.folder + "/llama-mtmd-cli", "-m", model, "--mmproj", clip, "-t", str(self.threads), "-n", "1", "-c", "2048",
                             "--chat-template", "vicuna", "--image", PICTURE, "-p", "What is it?"])
        seen = re.search(r"(?:slice encoded|batch encoding done) in\s+(\d+)", out + err)
        if not seen:
            sys.exit("%s's llama-mtmd-cli does not tell how long the picture took" % self.name)
        return {"picture s": float(seen.group(1)) / 1000}

    def start(self, model, clip):
        start = time.monotonic()
        timed([self.folder + "/llama-bench", "-m", model, "-t", str(self.threads), "-p", "8", "-n", "0", "-r", "1", "--no-warmup",
               *self.options])
        return {"start s": time.monotonic() - start}


def one_round(runner, model, clip, q):
    row = runner.language(model, clip, q.prompts, q.tokens) if "language" in q.parts else {}
    for part in ("batch", "start", "picture"):
        if part in q.parts:
            row.update(getattr(runner, part)(model, clip))
    return row


def memory_rate(program):
    """GB/s that the threads read now."""
    return float(timed([program, "bench", "memory"])[0])


def bytes_read(model, kind, width):
    """What one token reads: all but the embedding table, of which it takes one row."""
    table = {"f16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32, "q4_k_m": 144 / 256}[kind] * 32000 * width
    return os.path.getsize(model) - table


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--binary", default="build/release/src/cli/llava-plus")
    a.add_argument("--llama-cpp", help="folder with llama.cpp's llama-bench and llama-mtmd-cli")
    a.add_argument("--ik-llama-cpp", help="the same of ik_llama.cpp")
    a.add_argument("--shape", default="1b", choices=["1b", "7b"], help="TinyLlama-1.1B's or LLaMA-7B's")
    a.add_argument("--types", default="q4_0,q4_k_m,q8_0")
    a.add_argument("--prompts", default=[64, 640], type=lambda text: [int(p) for p in text.split(",")],
                   help="tokens read in one pass")
    a.add_argument("--parts", default="language,batch,start,picture", help="what is measured")
    a.add_argument("--tokens", type=int, default=32, help="tokens written")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--work", default="build/planner-speed", help="where the random models are made")
    q = a.parse_args()
    os.makedirs(q.work, exist_ok=True)
    generator = [sys.executable, os.path.join(os.path.dirname(__file__), "random_gguf.py")]
    width = {"1b": 2048, "7b": 4096}[q.shape]
    clip = "%s/mmproj-%s.gguf" % (q.work, q.shape)
    if not os.path.exists(clip):
        subprocess.run([*generator, "clip", "f16", clip, str(width)], check=True)
    runners = [Ours("llava-plus", q.binary, q.threads)]
    if q.llama_cpp:
        runners.append(Peer("llama.cpp", q.llama_cpp, q.threads))
    if q.ik_llama_cpp:
        runners.append(Peer("ik_llama.cpp", q.ik_llama_cpp, q.threads))
        runners.append(Peer("ik_llama.cpp -rtr", q.ik_llama_cpp, q.threads, ["-rtr", "1"]))
    for kind in q.types.split(","):
        model = "%s/%s-%s.gguf" % (q.work, q.shape, kind)
        if not os.path.exists(model):
            subprocess.run([*generator, "llama", q.shape, kind, model], check=True)
        if not os.path.exists(model + ".packed"):
            timed([q.binary, "model", "pack", model, "--mmproj", clip])
        for r in runners:
            r.start(model, clip)  # files come from the disk once
        rows = {r.name: [] for r in runners}
        rates = []
        for _ in range(q.rounds):
            for r in runners:
                rates.append(memory_rate(q.binary))
                rows[r.name].append(one_round(r, model, clip, q))
        size, rate = bytes_read(model, kind, width) / 1e9, statistics.median(rates)
        print("\n%s %s, %.2f GB a token, %d threads, medians of %d rounds; memory is read at %.1f GB/s, enough for %.2f tokens/s" %
              (q.shape, kind, size, q.threads, q.rounds, rate, rate / size))
        keys = list(rows["llava-plus"][0])
        print("%-20s" % "" + "".join("%12s" % k for k in keys))
        median = {n: {k: statistics.median(row.get(k, math.nan) for row in found) for k in keys} for n, found in rows.items()}
        for n in median:
            print("%-20s" % n + "".join("%12.2f" % median[n][k] for k in keys))
        best = {k: (min if k in LESS else max)([m[k] for n, m in median.items() if n != "llava-plus" and m[k] == m[k]],
                                               default=math.nan) for k in keys}
        if len(runners) > 1:
            ours = median["llava-plus"]
            print("%-20s" % "times the best peer" + "".join(
                "%12.2f" % (best[k] / ours[k] if k in LESS[:2] else ours[k] / best[k]) for k in keys), flush=True)


main()
