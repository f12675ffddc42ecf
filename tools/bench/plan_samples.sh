#!/bin/sh
# SPDX-License-Identifier: MIT
# plan_samples.sh [SAMPLES [OPTION...]]: samples at least SAMPLES plans (10,000) at temperature 1.0, equally many for each
# held-out instruction, and checks that every one parses, names known skills and has legal parameters. Exits 1 when one
# does not. Options go to `plan` (--model DIR). BUILD names the build folder (build/release). JOBS (1) runs share the work
# side by side, each with its own seed (1, 2, ...) and files.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
jobs=${JOBS:-1}
set_file=data/heldout/instructions.jsonl
samples=${1:-10000}
[ $# -eq 0 ] || shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
lines=$(grep -c . "$set_file")
each=$(((samples + lines * jobs - 1) / (lines * jobs))) # samples of a line in one run
pids=
for job in $(seq "$jobs"); do
    "$build/src/cli/llava-plus" plan --batch "$set_file" --samples "$each" --temperature 1 --seed "$job" "$@" \
        >"$folder/$job.jsonl" &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid"
done
cat "$folder"/*.jsonl >"$folder/all"
"$build/tests/e2e/score" valid "$folder/all"
