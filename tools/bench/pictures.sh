#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pictures.sh: seeing a picture at real sizes with random weights - CLIP ViT-L/14-336 with LLaVA-1.5's projector, SAM ViT-B and
# ViT-H at 1024 - beside PyTorch, llama.cpp and ik_llama.cpp, taking turns. Usage:
#   tools/bench/pictures.sh [--what clip,sam-b,sam-h] [--rounds 3] [--llama-cpp DIR] [--ik-llama-cpp DIR] [--compile] ...
# PYTHON names an interpreter with torch and transformers, and makes the models, which stay in build/pictures-speed; DIR holds
# the peer's llama-mtmd-cli.
set -eu
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python3}" tools/bench/pictures.py --binary "${BINARY:-build/release/src/cli/llava-plus}" "$@"
