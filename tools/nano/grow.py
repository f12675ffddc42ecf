#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""grow.py MODEL_FOLDER PHRASES NEW_FOLDER: a LLaVA folder whose tokenizer knows each line of PHRASES as one token more. What
the model knew stays: a new token's embedding starts as the mean of the tokens it stood for. Needs PyPI's numpy and
sentencepiece (with protobuf)."""
import json
import pathlib
import shutil
import sys

import numpy as np
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

from weights import read, write

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
    ids = [processor.encode("a" + line)[len(processor.encode("a")):] for line in added]
    for line in added:
        piece = model.pieces.add()
        piece.piece, piece.score, piece.type = line.replace(" ", "▁"), 0.0, piece.USER_DEFINED
    model.trainer_spec.vocab_size = len(model.pieces)
    (new / "tokenizer.model").write_bytes(model.SerializeToString())

    tensors = read(old / "model.safetensors")
    embedding = tensors[EMBEDDING]
    tensors[EMBEDDING] = np.concatenate([embedding, np.stack([embedding[i].mean(0) for i in ids])])
    write(new / "model.safetensors", tensors)

    config = json.loads((new / "config.json").read_text())
    config["text_config"]["vocab_size"] = config["image_token_index"] = len(model.pieces)
    config["torch_dtype"] = "float32"
    (new / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{len(added)} tokens more: {len(model.pieces)}")


if __name__ == "__main__":
    main()
