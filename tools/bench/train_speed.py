# SPDX-License-Identifier: MIT
"""Tokens/s and peak memory of `llava-plus train` beside PyTorch: same model, batch, threads and precision; the two take
turns, and medians over all measured steps are compared. Memory without the interpreter and its libraries is told too.
On a busy machine --cpu-time compares tokens a second of processor time: a run of --steps steps less a run of two, so that
no start counts; take one thread for it, as threads that wait for each other spend time, too. See train_speed.sh."""
import argparse, json, os, random, shutil, statistics, subprocess, sys, tempfile

import sentencepiece

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SYSTEM = "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, " \
         "detailed, and polite answers to the human's questions. USER: "
MODELS = {"nano": dict(clip=(192, 6, 6, 768, 128, 16), llama=(256, 6, 8, 688)),
          "medium": dict(clip=(384, 6, 6, 1536, 224, 16), llama=(768, 6, 12, 2048))}


def write_model(folder, shape):
    nano = os.path.join(TOP, "models", "llava-plus-nano-v1")
    config = json.load(open(os.path.join(nano, "config.json")))
    v, t = config["vision_config"], config["text_config"]
    keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size", "patch_size")
    v.update(zip(keys, shape["clip"]))
    t.update(zip(keys, shape["llama"]), num_key_value_heads=shape["llama"][2])
    os.makedirs(folder, exist_ok=True)
    json.dump(config, open(os.path.join(folder, "config.json"), "w"))
    shutil.copy(os.path.join(nano, "tokenizer.model"), folder)
    pre = json.load(open(os.path.join(nano, "preprocessor_config.json")))
    text = json.dumps(pre).replace(str(json.load(open(os.path.join(nano, "config.json")))["vision_config"]["image_size"]),
                                   str(v["image_size"]))
    open(os.path.join(folder, "preprocessor_config.json"), "w").write(text)


def write_data(path, sp, count, words, trained):
    """Dialogues of equal length: every word is one token, or one after the space's own."""
    random.seed(1)
    space = sp.piece_to_id("\u2581")
    pieces = [sp.id_to_piece(i).lstrip("\u2581") for i in range(4000)]
    pieces = [p for i, p in enumerate(pieces) if p.isascii() and p.isalpha() and p.islower() and len(p) > 2
              and sp.encode(p) in ([i], [space, i])]
    say = lambda n: " ".join(random.choice(pieces) for _ in range(n))
    records = [{"image": "sign.jpg", "conversations": [{"from": "human", "value": "<image>\n" + say(words)},
               {"from": "gpt", "value": say(trained)}]} for _ in range(count)]
    json.dump(records, open(path, "w"))


def timed(command, env):
    """Standard output and error of a child, and what it used; ends the program where it failed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, env=env, stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        out.seek(0)
        err.seek(0)
        if status:
            sys.exit("%s failed: %s" % (command[0], err.read().decode()))
        return out.read().decode(), {"cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024}


def run_ours(a, work, precision, extra, steps):
    out = os.path.join(work, "out")
    shutil.rmtree(out, ignore_errors=True)
    command = [a.binary, "train", "--data", os.path.join(work, "data.json"), "--images", os.path.join(TOP, "examples"),
               "--model", os.path.join(work, "model"), "--out", out, "--batch", str(a.batch), "--steps", str(steps),
               "--rows", "1000000", "--save-every", "0"] + extra
    if precision != "f32":
        command += ["--precision", precision]
    env = dict(os.environ, OMP_NUM_THREADS=str(a.threads), OMP_WAIT_POLICY="passive" if a.cpu_time else "active")
    _, used = timed(command, env)
    lines = [json.loads(line) for line in open(os.path.join(out, "log.jsonl"))]
    return dict(used, rates=[s["tokens_per_s"] for s in lines], tokens=lines[-1]["tokens"], import_mib=0)


def run_torch(a, work, precision, extra, steps):
    command = [sys.executable, os.path.join(HERE, "train_torch.py"), "--config", os.path.join(work, "model", "config.json"),
               "--precision", precision, "--threads", str(a.threads), "--steps", str(steps), "--batch", str(a.batch),
               "--text", str(a.text), "--trained", str(a.trained + 1)] + extra
    env = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    out, used = timed(command, env)
    return dict(used, **json.loads(out.splitlines()[-1]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--binary", default="build/release/src/cli/llava-plus")
    p.add_argument("--model", default="nano", choices=MODELS)
    p.add_argument("--precision", default="f32,bf16")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--words", type=int, default=60)
    p.add_argument("--trained", type=int, default=100)
    p.add_argument("--cpu-time", action="store_true", help="tokens a second of processor time")
    p.add_argument("--compile", action="store_true", help="PyTorch with torch.compile as well")
    p.add_argument("--checkpointing", action="store_true", help="llava-plus with --checkpointing as well")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as work:
        write_model(os.path.join(work, "model"), MODELS[a.model])
        sp = sentencepiece.SentencePieceProcessor(model_file=os.path.join(work, "model", "tokenizer.model"))
        write_data(os.path.join(work, "data.json"), sp, a.batch, a.words, a.trained)
        a.text = len(sp.encode(SYSTEM)) + 5 + a.words + a.trained + 5  # within a few tokens of ours
        for precision in a.precision.split(","):
            rows = [("llava-plus " + precision, run_ours, precision, [])]
            if a.checkpointing:
                rows.append(("llava-plus %s checkpointing" % precision, run_ours, precision, ["--checkpointing"]))
            for kind in ["f32"] if precision == "f32" else ["bf16-autocast", "bf16-pure"]:
                rows.append(("PyTorch " + kind, run_torch, kind, []))
                if a.compile:
                    rows.append(("PyTorch %s compiled" % kind, run_torch, kind, ["--compile"]))
            got = {name: [] for name, *_ in rows}
            for _ in range(a.rounds):
                for name, run, kind, extra in rows:
                    one = run(a, work, kind, extra, a.steps)
                    if a.cpu_time:
                        less = run(a, work, kind, extra, 2)
                        one["rates"] = [0, 0, one["tokens"] * (a.steps - 2) / max(one["cpu"] - less["cpu"], 1e-3)]
                    got[name].append(one)
            rate = {n: statistics.median(r for g in got[n] for r in g["rates"][2:]) for n in got}
            best = max((n for n in got if n.startswith("PyTorch")), key=rate.get)
            print("%s, %s, %d threads, batch %d%s" % (a.model, precision, a.threads, a.batch,
                                                      ", processor time" if a.cpu_time else ""))
            for n in got:
                peak = statistics.median(g["peak_mib"] for g in got[n])
                print("  %-34s %8.0f tokens/s  %.2f x  peak %5.0f MiB (%.0f before the model)" %
                      (n, rate[n], rate[n] / rate[best], peak, got[n][0]["import_mib"]), flush=True)


main()
