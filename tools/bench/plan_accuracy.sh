#!/bin/sh
# SPDX-License-Identifier: MIT
# plan_accuracy.sh [MIN [OPTION...]]: plans the held-out instructions (data/heldout/README.md) and prints the misses and
# the rate of right skills per skill and over all. Exits 1 when the rate is below MIN (0..1). Options go to `plan`.
# BUILD names the build folder (build/release); PLANS keeps the plans in that file.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
least=${1:-0}
[ $# -eq 0 ] || shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
plans=${PLANS:-$folder/plans.jsonl}
"$build/src/cli/llava-plus" plan --batch data/heldout/instructions.jsonl "$@" >"$plans"
"$build/tests/e2e/score" plan data/heldout/instructions.jsonl "$plans" "$least"
