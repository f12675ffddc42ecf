#!/usr/bin/env bash
# planner.sh: reading, writing, seeing and memory of the planner at real sizes with random weights, beside llama.cpp and
# ik_llama.cpp on the same files, taking turns. Usage:
#   tools/bench/planner.sh [--llama-cpp DIR] [--ik-llama-cpp DIR] [--shape 1b|7b] [--types q4_0,q4_k_m,q8_0,f16] [--rounds 3] ...
# --parts language,batch,start,picture picks what is measured: pieces, where the machine is not free for long. DIR holds the
# peer's llama-bench and llama-mtmd-cli, built as its README says. Needs numpy for making the models, which stay in
# build/planner-speed (7b: 4 to 14 GB each).
set -eu
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python3}" tools/bench/planner.py --binary "${BINARY:-build/release/src/cli/llava-plus}" "$@"
