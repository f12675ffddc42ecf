# SPDX-License-Identifier: MIT
"""The LLaVA that train_speed.py measures, in plain PyTorch as fast as its own parts make it: scaled_dot_product_attention,
fused AdamW, logits only for rows that are trained, rows of equal length (so no padding). Prints JSON: tokens/s of each
step, and memory."""
import argparse, contextlib, json, resource, time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, width, heads, bias, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.q, self.k, self.v, self.out = (nn.Linear(width, width, bias=bias) for _ in range(4))

    def forward(self, x, turn=None):
        n, rows, width = x.shape
        q, k, v = (f(x).view(n, rows, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        if turn is not None:
            q, k = rotate(q, *turn), rotate(k, *turn)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(y.transpose(1, 2).reshape(n, rows, width))


def rotate(x, cosine, sine):
    a, b = x.chunk(2, -1)
    return x * cosine + torch.cat((-b, a), -1) * sine


class ClipBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["hidden_size"]
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, c["num_attention_heads"], True, False)
        self.up, self.down = nn.Linear(width, c["intermediate_size"]), nn.Linear(c["intermediate_size"], width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        h = self.up(self.norm2(x))
        return x + self.down(h * torch.sigmoid(1.702 * h))


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, 1e-5)


class LlamaBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, ffn = c["hidden_size"], c["intermediate_size"]
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.attention = Attention(width, c["num_attention_heads"], False, True)
        self.gate, self.up = nn.Linear(width, ffn, bias=False), nn.Linear(width, ffn, bias=False)
        self.down = nn.Linear(ffn, width, bias=False)

    def forward(self, x, turn):
        x = x + self.attention(self.norm1(x), turn)
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llava(nn.Module):
    def __init__(self, config):
        super().__init__()
        t, v = config["text_config"], config["vision_config"]
        width, seen = t["hidden_size"], v["hidden_size"]
        self.head_size = width // t["num_attention_heads"]
        self.patch = nn.Conv2d(3, seen, v["patch_size"], v["patch_size"], bias=False)
        patches = (v["image_size"] // v["patch_size"]) ** 2
        self.first = nn.Parameter(torch.zeros(seen))
        self.position = nn.Parameter(torch.randn(1 + patches, seen) * 0.02)
        self.pre = nn.LayerNorm(seen)
        self.clip = nn.ModuleList(ClipBlock(v) for _ in range(v["num_hidden_layers"] - 1))
        self.projector = nn.Sequential(nn.Linear(seen, width), nn.GELU(), nn.Linear(width, width))
        self.embedding = nn.Embedding(t["vocab_size"], width)
        self.blocks = nn.ModuleList(LlamaBlock(t) for _ in range(t["num_hidden_layers"]))
        self.norm = RmsNorm(width)
        self.head = nn.Linear(width, t["vocab_size"], bias=False)

    def forward(self, pixels, ids, at, trained, target):
        x = self.patch(pixels).flatten(2).transpose(1, 2)
        x = torch.cat((self.first.to(x.dtype).expand(len(x), 1, -1), x), 1) + self.position
        x = self.pre(x)
        for block in self.clip:
            x = block(x)
        seen, words = self.projector(x[:, 1:]), self.embedding(ids)
        x = torch.cat((words[:, :at].to(seen.dtype), seen, words[:, at:].to(seen.dtype)), 1)
        half = torch.arange(0, self.head_size, 2) / self.head_size
        angle = torch.arange(x.shape[1])[:, None] * 10000 ** -half[None]
        angle = torch.cat((angle, angle), -1)
        turn = (angle.cos().to(x.dtype), angle.sin().to(x.dtype))
        for block in self.blocks:
            x = block(x, turn)
        logits = self.head(self.norm(x[:, -trained - 1:-1]).reshape(-1, x.shape[-1]))
        return F.cross_entropy(logits.float(), target.reshape(-1))


class MasterAdamW:
    """bfloat16 weights with float32 masters, fused AdamW on the masters."""

    def __init__(self, model, **settings):
        self.pairs = [(p, p.detach().float().clone()) for p in model.parameters()]
        self.inner = torch.optim.AdamW([m for _, m in self.pairs], **settings)

    def step(self):
        for p, m in self.pairs:
            m.grad = p.grad.float()
        self.inner.step()
        with torch.no_grad():
            for p, m in self.pairs:
                p.copy_(m)


def main():
    a = argparse.ArgumentParser()
    for name, kind in (("config", str), ("precision", str), ("threads", int), ("steps", int), ("batch", int),
                       ("text", int), ("trained", int)):
        a.add_argument("--" + name, type=kind)
    a.add_argument("--compile", action="store_true")
    a = a.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    config = json.load(open(a.config))
    model = Llava(config)
    settings = dict(lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    pure = a.precision == "bf16-pure"
    if pure:
        model = model.to(torch.bfloat16)
        optimizer = MasterAdamW(model, **settings)
    else:
        optimizer = torch.optim.AdamW(model.parameters(), **settings)
    around = torch.autocast("cpu", torch.bfloat16) if a.precision == "bf16-autocast" else contextlib.nullcontext()
    run = torch.compile(model) if a.compile else model
    size = config["vision_config"]["image_size"]
    pixels = torch.randn(a.batch, 3, size, size, dtype=torch.bfloat16 if pure else torch.float32)
    patches = (size // config["vision_config"]["patch_size"]) ** 2
    ids = torch.randint(0, 4000, (a.batch, a.text))
    rates = []
    for _ in range(a.steps):
        began = time.monotonic()
        with around:
            loss = run(pixels, ids, 40, a.trained, ids[:, -a.trained:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        for p in model.parameters():
            p.grad = None
        float(loss)
        rates.append(a.batch * (a.text + patches) / (time.monotonic() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"rates": rates, "peak_mib": peak / 1024, "import_mib": before / 1024,
                      "tokens": a.batch * (a.text + patches)}))


main()
