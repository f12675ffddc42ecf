# SPDX-License-Identifier: MIT
"""How the nano models of PyTorch learn: Muon and AdamW, a checkpoint, a line every 50 steps."""
import ctypes
import math
import os
import time

import numpy as np
import torch

RATES, DECAY = (2e-3, 1e-3), 0.05  # of Muon, of AdamW; of Muon's weights


class Muon(torch.optim.Optimizer):
    """Momentum whose singular values are made about 1 (Jordan et al. 2024, Liu et al. 2025, arXiv:2502.16982)."""

    def __init__(self, weights):
        super().__init__(weights, {"lr": 0})

    @torch.no_grad()
    def step(self):
        for w in self.param_groups[0]["params"]:
            if w.grad is None:  # of what this step did without
                continue
            kept = self.state[w]
            momentum = kept.setdefault("momentum", torch.zeros_like(w)).lerp_(w.grad, 0.05)
            x = w.grad.lerp(momentum, 0.95).flatten(1)
            tall = x.shape[0] > x.shape[1]
            x = x.T if tall else x
            x = x / (x.norm() + 1e-7)
            for _ in range(5):
                a = x @ x.T
                x = torch.addmm(x, torch.addmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
            x = x.T if tall else x
            rate = self.param_groups[0]["lr"]
            w.mul_(1 - rate * DECAY).sub_(x.reshape(w.shape), alpha=rate * 0.2 * math.sqrt(max(x.shape)))


def optimizers(model):
    """Muon for what multiplies, AdamW for codes, tables, norms and biases."""
    layers = [m.weight for m in model.modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]
    mine = set(layers)
    others = [w for w in model.parameters() if w not in mine]
    return Muon(layers), torch.optim.AdamW(others, lr=0, betas=(0.9, 0.98), weight_decay=0)


class Progress:
    """What is kept after every 250 steps, so that a training that was stopped goes on."""

    def __init__(self, folder, model, pair):
        self.path, self.model, self.pair, self.step = os.path.join(folder, "checkpoint.pt"), model, pair, 0
        if os.path.exists(self.path):
            kept = torch.load(self.path, weights_only=True)
            model.load_state_dict(kept["model"])
            for optimizer, state in zip(pair, kept["optimizers"]):
                optimizer.load_state_dict(state)
            self.step = kept["step"]

    def keep(self, step):
        torch.save({"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.pair], "step": step},
                   self.path + ".new")
        os.replace(self.path + ".new", self.path)


def be_quick():
    """Numbers too small for a normal float are 0 (masked places' probabilities, each slow); memory is kept, not fetched anew."""
    torch.set_flush_denormal(True)
    most = 2 ** 31 - 1
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    for option, value in ((mmap_max, 0), (trim_threshold, most), (top_pad, 2 ** 28)):
        ctypes.CDLL(None).mallopt(option, value)


def train(model, folder, steps, rate_at, step_loss, told):
    """Goes on to `steps`. step_loss(step, g) -> the loss and two numbers, which `told` names; rate_at(step): share of RATES."""
    be_quick()
    pair = optimizers(model)
    progress = Progress(folder, model, pair)
    began, mean = time.time(), np.zeros(3)
    for step in range(progress.step, steps):
        loss, *numbers = step_loss(step, np.random.default_rng([1, step]))
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        for optimizer, rate in zip(pair, RATES):
            optimizer.param_groups[0]["lr"] = rate * rate_at(step)
            optimizer.step()
        mean += np.array([float(loss), *map(float, numbers)]) / 50
        if (step + 1) % 50 == 0:
            numbers = "  ".join(f"{name} {value:.3f}" for name, value in zip(told, mean[1:]))
            print(f"{step + 1:6d} {time.time() - began:7.0f} s  loss {mean[0]:.4f}  {numbers}", flush=True)
            mean[:] = 0
        if (step + 1) % 250 == 0 or step + 1 == steps:
            progress.keep(step + 1)
