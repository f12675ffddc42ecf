#!/bin/sh
# SPDX-License-Identifier: MIT
# plan_time.sh [RUNS]: wall time of the demo's plan, start-up and loading included: every run in ms, and the median.
set -eu
cd "$(dirname "$0")/../.."
program=${BUILD:-build/release}/src/cli/llava-plus
runs=${1:-15}
for i in $(seq "$runs"); do
    began=$(date +%s%N)
    "$program" plan --image examples/sign.jpg "What does the sign say?" >/dev/null
    echo $((($(date +%s%N) - began) / 1000000))
done | sort -n | awk '{ms[NR] = $1; printf "%d ", $1} END {printf "ms\nmedian %d ms\n", ms[int((NR + 1) / 2)]}'
