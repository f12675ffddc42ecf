#!/bin/sh
# SPDX-License-Identifier: MIT
# plan_accuracy.sh [OPTION...]: measures the planner on the held-out instructions (data/heldout/README.md) with
# `llava-plus eval plan`, which tells the options: --least-skill 0.94, --misses FILE, --model DIR ...
# BUILD names the build folder (build/release).
set -eu
cd "$(dirname "$0")/../.."
exec "${BUILD:-build/release}/src/cli/llava-plus" eval plan --set data/heldout/instructions.jsonl "$@"
