#!/usr/bin/env bash
# kill.sh PROGRAM [KILLS]: a training that is killed with SIGKILL at random moments and started again each time ends with
# the same weights, the same checkpoint and a log that has each step once, as one that was left alone.
set -u
export LC_ALL=C OMP_NUM_THREADS=1
program=$(realpath "$1") kills=${2:-50}
here=$(cd "$(dirname "$0")" && pwd)
steps=30
pictures=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

. "$here/tiny_model.sh"
tiny_model "$here/../.." model
# Pictures of one pixel: GIF's shortest.
for color in '\xff\x20\x10' '\x10\x60\xf0'; do
    printf "GIF89a\\1\\0\\1\\0\\x80\\0\\0$color\\0\\0\\0,\\0\\0\\0\\0\\1\\0\\1\\0\\0\\2\\2D\\1\\0;" > "$((++pictures)).gif"
done
record() {
    printf '{"image": "%s", "conversations": [{"from": "human", "value": "<image>\\n%s"}, {"from": "gpt", "value": "%s"}]}' "$@"
}
printf '[%s,\n%s,\n%s,\n%s,\n%s]' "$(record 1.gif 'What is it?' 'A cat.')" "$(record 2.gif 'And that?' 'A red one.')" \
    "$(record 1.gif 'Sure?' 'Yes.')" "$(record 2.gif 'How many?' 'Two dogs.')" \
    "$(record 2.gif 'Which?' 'The other.')" > data.json

# Becomes the program: call it in a shell of its own.
train() {
    exec "$program" train --data data.json --eval data.json --eval-every 7 --images . --model model --out "$1" \
        --steps $steps --batch 2 --accumulate 2 --save-every 3 --rate 3e-3 --float32 2> "$1.err"
}
# Whether a finished training is the undisturbed one.
same() {
    cmp "$1/model.safetensors" undisturbed/model.safetensors &&
        cmp "$1/checkpoint.safetensors" undisturbed/checkpoint.safetensors || return 1
    grep -o '"step": [0-9]*' "$1/log.jsonl" | cut -d' ' -f2 | cmp - <(seq $steps) || return 1
    # What does not depend on the clock is the same, too.
    cmp <(sed 's/, "tokens_per_s.*seconds": [0-9.]*//' "$1/log.jsonl") \
        <(sed 's/, "tokens_per_s.*seconds": [0-9.]*//' undisturbed/log.jsonl)
}

began=$(date +%s%N)
(train undisturbed) || { cat undisturbed.err; exit 1; }
whole=$((($(date +%s%N) - began) / 1000000)) # ms
[ $whole -lt 1500 ] || whole=1500 # a loaded machine: the test must end
RANDOM=4711
killed=0 ended=0
while [ $killed -lt "$kills" ]; do
    wait_ms=$((1 + (RANDOM * 32768 + RANDOM) % whole))
    train disturbed &
    child=$!
    sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
    kill -KILL $child 2> /dev/null
    wait $child 2> /dev/null
    case $? in
    137) killed=$((killed + 1)) ;;
    0) same disturbed || exit 1
        rm -r disturbed
        ended=$((ended + 1)) ;;
    *) cat disturbed.err
        exit 1 ;;
    esac
done
(train disturbed) || { cat disturbed.err; exit 1; }
same disturbed || exit 1
left=$(find disturbed -type f | wc -l)
printf '%d kills in %d trainings of %d ms\n' $killed $((ended + 1)) $whole
[ "$left" -eq 6 ]
