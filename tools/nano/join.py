#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""join.py LANGUAGE_FOLDER PICTURE_FOLDER NEW_FOLDER: the language model of one LLaVA folder behind the picture encoder and the
projector of another, which have learnt side by side. Needs numpy."""
import pathlib
import shutil
import sys

from weights import read, write


def main(language, picture, new):
    said, seen = (read(folder / "model.safetensors") for folder in (language, picture))
    new.mkdir(parents=True)
    for name in "config.json", "preprocessor_config.json", "tokenizer.model":
        shutil.copy(picture / name, new)
    write(new / "model.safetensors", {name: (said if name.startswith("language_model.") else seen)[name] for name in seen})


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
