#!/bin/sh
# SPDX-License-Identifier: MIT
# second_question.sh MODEL PICTURE [RUNS]: time to the first token of a first and of a second question about one picture,
# each in a conversation of its own: in one process, and in a second process that has the first one's cache folder.
# Encoding the picture counts, opening the model does not. Prints every run in ms, medians and ratios.
# Other questions: FIRST=.. SECOND=..; BUILD names the build folder (build/release).
set -eu
program=${BUILD:-$(dirname "$0")/../../build/release}/src/cli/llava-plus
model=$1 picture=$2 runs=${3:-3}
first=${FIRST:-"What is in the picture?"} second=${SECOND:-"Which colors do you see?"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ask OPTION..: answers the lines on standard input; prints "known new ms" for each
ask() {
    "$program" chat --model "$model" --tools none --max-tokens 100 --debug "$@" 2>"$work/log" >/dev/null ||
        { cat "$work/log" >&2; exit 1; }
    sed -n 's/^\[of its prompt \([0-9]*\) positions were known, \([0-9]*\) new; first token after \([0-9]*\) ms\]$/\1 \2 \3/p' "$work/log"
}

for run in $(seq "$runs"); do
    printf '%s\n/reset\n/image %s\n%s\n' "$first" "$picture" "$second" | ask --image "$picture" >"$work/answers"
    sed -n '1s/^/first /p;2s/^/second /p' "$work/answers"
    rm -rf "$work/cache"
    echo "$first" | ask --image "$picture" --cache "$work/cache" --cache-memory 0 >/dev/null
    echo "$second" | ask --image "$picture" --cache "$work/cache" --cache-memory 0 | sed 's/^/restarted /'
done | tee "$work/all" | awk '{printf "%-9s %5d positions known, %5d new: %8d ms\n", $1, $2, $3, $4}'
median() {
    awk -v name="$1" '$1 == name {print $4}' "$work/all" | sort -n | awk '{ms[NR] = $1} END {print ms[int((NR + 1) / 2)]}'
}
awk -v a="$(median first)" -v b="$(median second)" -v c="$(median restarted)" 'BEGIN {
    printf "median    first %d ms, second %d ms (%.1f times shorter), restarted %d ms (%.1f times shorter)\n",
        a, b, a / (b ? b : 1), c, a / (c ? c : 1)}'
