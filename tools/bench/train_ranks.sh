#!/usr/bin/env bash
# train_ranks.sh DATA.json IMAGES MODEL: training speed of two MPI ranks with one thread each beside one process with two
# threads, same data and global batch, taking turns; prints medians of tokens a second over all measured steps, and the ratio.
# ROUNDS (3) and STEPS (12, of which the first two do not count).
set -eu
program=${BINARY:-$(cd "$(dirname "$0")/../.." && pwd)/build/release/src/cli/llava-plus}
rounds=${ROUNDS:-3} steps=${STEPS:-12}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=active

measure() { # name, command...: appends its steps' speeds to $work/name
    local out=$work/out
    rm -rf "$out"
    "${@:2}" "$program" train --data "$data" --images "$images" --model "$model" --out "$out" --batch 16 --steps "$steps" \
        --save-every 0 >/dev/null 2>&1
    sed -n 's/.*"tokens_per_s": \([0-9.]*\).*/\1/p' "$out/log.jsonl" | tail -n +3 >> "$work/$1"
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

data=$1 images=$2 model=$3
for _ in $(seq "$rounds"); do
    measure process env OMP_NUM_THREADS=2
    measure ranks env OMP_NUM_THREADS=1 mpirun --bind-to none -n 2
done
one=$(median "$work/process") two=$(median "$work/ranks")
echo "one process, two threads: $one tokens/s"
echo "two ranks, one thread:    $two tokens/s, $(awk -v a="$two" -v b="$one" 'BEGIN { printf "%.2f", a / b }') times"
