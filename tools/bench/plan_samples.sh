#!/bin/sh
# SPDX-License-Identifier: MIT
# plan_samples.sh [SAMPLES]: samples plans for each held-out instruction at temperature 1.0 (11 each: over 2,000), and
# checks that every one parses, names a known skill and has legal parameters. Exits 1 when one does not.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
plans=$(mktemp)
trap 'rm -f "$plans"' EXIT
"$build/src/cli/llava-plus" plan --batch data/heldout/instructions.jsonl --samples "${1:-11}" --temperature 1 >"$plans"
"$build/tests/e2e/score" valid "$plans"
