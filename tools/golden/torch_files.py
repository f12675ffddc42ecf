#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/torch: small files of torch.save and, beside them, the same tensors as safetensors writes them.
See README.md beside this file.

    torch_files.py [FOLDER]        # default: tests/golden/torch of this tree
"""
import collections
import json
import os
import sys

import torch
from safetensors.torch import save_file

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64, "i64": torch.int64,
         "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}


def numbers(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 40


def tensors():
    """Every type, and every way to lie in a storage that state dictionaries know."""
    d = collections.OrderedDict()
    for i, (name, dtype) in enumerate(TYPES.items()):
        x = numbers(3, 5, seed=i)
        d["type." + name] = x > 0 if dtype == torch.bool else x.abs().to(dtype) if dtype == torch.uint8 else x.to(dtype)
    base = numbers(4, 6, 5, seed=20)
    d["lie.transposed"] = base.transpose(0, 2)
    d["lie.part"] = base[1:3, ::2, 1:4]
    d["lie.row"] = base[2, 3]
    d["lie.whole"] = base
    d["lie.half_column"] = numbers(7, 3, seed=21).to(torch.bfloat16)[:, 1]
    d["lie.ones"] = numbers(1, 9, 1, seed=22).expand(1, 9, 1)
    d["lie.repeated"] = numbers(1, 4, seed=23).expand(3, 4)
    d["lie.scalar"] = torch.tensor(2.5)
    d["lie.count"] = torch.tensor(7)
    d["lie.empty"] = torch.empty(0, 3)
    d["lie.parameter"] = torch.nn.Parameter(numbers(2, 2, seed=24))
    d["lie.\u00fcber"] = numbers(2, seed=25)
    d["tied.first"] = numbers(3, 4, seed=26)
    d["tied.second"] = d["tied.first"]
    d["tied.again"] = d["tied.first"].view(3, 4)
    d["tied.turned"] = d["tied.first"].t()
    return d


def expected(d, path, drop=()):
    save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in d.items() if k not in drop}, path)


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(6, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.head = torch.nn.Linear(4, 6, bias=False)
        self.head.weight = self.embed.weight


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "..", "tests", "golden", "torch")
    path = lambda *names: os.path.join(out, *names)
    os.makedirs(path("sharded"), exist_ok=True)
    d = tensors()
    expected(d, path("all.safetensors"), drop=("tied.second", "tied.again"))
    torch.save(d, path("zip2.pth"))
    torch.save(dict(d), path("zip4.pt"), pickle_protocol=4)
    torch.save(d, path("zip5.bin"), pickle_protocol=5)
    torch.save(d, path("legacy2.pth"), _use_new_zipfile_serialization=False)
    torch.save(d, path("legacy4.pth"), _use_new_zipfile_serialization=False, pickle_protocol=4)

    torch.manual_seed(1)
    m = Tiny()
    optimizer = torch.optim.AdamW(m.parameters())
    m.head(m.norm(m.embed(torch.arange(6)))).sum().backward()
    optimizer.step()
    state = m.state_dict()
    expected(state, path("tiny.safetensors"), drop=("head.weight",))
    torch.save(state, path("tiny.bin"))
    torch.save({"epoch": 3, "lr": 1e-3, "best": None, "names": ["a", "b"], "model": state, "optimizer": optimizer.state_dict()},
               path("nested.pth"))
    torch.save({"step": torch.tensor(4), "state_dict": state, "ema": {"norm.bias": state["norm.bias"] + 1}}, path("ema.pth"))
    expected({"norm.bias": state["norm.bias"] + 1}, path("ema.safetensors"))
    torch.save(optimizer.state_dict(), path("optimizer.pt"))
    torch.save(m, path("module.pt"))          # a whole module: refused
    torch.save([torch.zeros(2)], path("list.pt"))

    names = list(state)
    files = ["pytorch_model-0000%d-of-00002.bin" % i for i in (1, 2)]
    split = [names[:3], [n for n in names[3:] if n != "head.weight"]]
    for file, part in zip(files, split):
        torch.save({n: state[n].clone() for n in part}, path("sharded", file))
    with open(path("sharded", "pytorch_model.bin.index.json"), "w") as f:
        json.dump({"metadata": {"total_size": 1}, "weight_map": {n: f for f, part in zip(files, split) for n in part}}, f)
    for name, text in {"config.json": '{"model_type": "tiny"}\n', "tokenizer.model": "pieces\n", "merges.txt": "a b\n",
                       "README.md": "tiny\n", "training.log": "not copied\n"}.items():
        with open(path("sharded", name), "w") as f:
            f.write(text)


main()
