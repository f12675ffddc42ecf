#!/bin/sh
# SPDX-License-Identifier: MIT
# ocr_accuracy.sh [MIN [OPTION...]]: asks `llava-plus chat` about each picture of tests/e2e/ocr and prints how much of the
# true text its answer contains, per picture and over all. Exits 1 when that is below MIN (0..1). Options go to `chat`.
# BUILD names the build folder (build/release); ANSWERS keeps the answers in that folder; SKILL=1 runs `skill run ocr`
# alone, without a planner.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build/release}
least=${1:-0}
[ $# -eq 0 ] || shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
answers=${ANSWERS:-$folder/answers}
mkdir -p "$answers"
"$build/tests/e2e/score" list tests/e2e/ocr/truth.jsonl >"$folder/questions"
tab=$(printf '\t')
while IFS="$tab" read -r image question; do
    if [ -n "${SKILL:-}" ]; then
        "$build/src/cli/llava-plus" skill run ocr --image "tests/e2e/ocr/$image" "$@"
    else
        "$build/src/cli/llava-plus" chat --image "tests/e2e/ocr/$image" "$@" "$question"
    fi </dev/null >"$answers/$image.txt" || echo "ocr_accuracy.sh: no answer for $image" >&2
done <"$folder/questions"
"$build/tests/e2e/score" ocr tests/e2e/ocr/truth.jsonl "$answers" "$least"
