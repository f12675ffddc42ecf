#!/usr/bin/env bash
# train_speed.sh: training speed and memory of llava-plus beside PyTorch, interleaved. Usage:
#   tools/bench/train_speed.sh [--model nano|medium] [--precision f32,bf16] [--rounds 3] [--steps 8] [--threads 2] ...
# PYTHON names an interpreter with torch (CPU) and sentencepiece; without one a venv is made under build/.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
    PYTHON=build/torch/bin/python
    if [ ! -x "$PYTHON" ]; then
        python3 -m venv build/torch
        build/torch/bin/pip install -q torch sentencepiece
    fi
fi
exec "$PYTHON" tools/bench/train_speed.py --binary "${BINARY:-build/release/src/cli/llava-plus}" "$@"
