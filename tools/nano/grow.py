#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""grow.py MODEL_FOLDER PHRASES NEW_FOLDER: a LLaVA folder whose tokenizer knows each line of PHRASES as one token more. What
the model knew stays: a new token's embedding starts as the mean of the tokens it stood for. Needs PyPI's numpy, safetensors and
sentencepiece (with protobuf)."""
import json
import pathlib
import shutil
import sys

import numpy as np
from safetensors.numpy import load_file, save_file
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

EMBEDDING = "language_model.model.embed_tokens.weight"


def main():
    old, phrases, new = map(pathlib.Path, sys.argv[1:])
    new.mkdir(parents=True)
    for name in "config.json", "preprocessor_config.json":
        shutil.copy(old / name, new)
    processor = SentencePieceProcessor(model_file=str(old / "tokenizer.model"))
    model = sentencepiece_model_pb2.ModelProto.FromString((old / "tokenizer.model").read_bytes())
    known = {piece.piece for piece in model.pieces}
    added = [line for line in phrases.read_text().split("\n") if line and line.replace(" ", "▁") not in known]
    # Behind a word's first letter, as the spaces before a text are added by the tokenizer itself.
    ids = [processor.encode("a" + line)[processor.encode("a").__len__():] for line in added]
    for line in added:
        piece = model.pieces.add()
        piece.piece, piece.score, piece.type = line.replace(" ", "▁"), 0.0, piece.USER_DEFINED
    model.trainer_spec.vocab_size = len(model.pieces)
    (new / "tokenizer.model").write_bytes(model.SerializeToString())

    tensors = {name: value.astype(np.float32) for name, value in read(old / "model.safetensors").items()}
    embedding = tensors[EMBEDDING]
    tensors[EMBEDDING] = np.concatenate([embedding, np.stack([embedding[i].mean(0) for i in ids])])
    save_file(tensors, new / "model.safetensors")

    config = json.loads((new / "config.json").read_text())
    config["text_config"]["vocab_size"] = config["image_token_index"] = len(model.pieces)
    config["torch_dtype"] = "float32"
    (new / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{len(added)} tokens more: {len(model.pieces)}")


def read(path):
    """All tensors as float32; numpy knows no bfloat16."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + at for at in entry["data_offsets"])
        raw = data[begin:end]
        wide = np.frombuffer(raw, "<f4") if entry["dtype"] == "F32" else \
            (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        tensors[name] = wide.reshape(entry["shape"])
    return tensors


if __name__ == "__main__":
    main()
