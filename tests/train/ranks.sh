#!/usr/bin/env bash
# ranks.sh SOURCE PROGRAM: two MPI ranks learn as one process does, only the first writes, and a failure is said once.
set -eu
source=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$source/tests/train/tiny_model.sh"
tiny_model "$source" "$work/model"
cat >"$work/data.json" <<'J'
[{"image": "sign.jpg", "conversations": [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A sign."}]},
 {"conversations": [{"from": "human", "value": "Say one."}, {"from": "gpt", "value": "One"}]},
 {"conversations": [{"from": "human", "value": "Say two."}, {"from": "gpt", "value": "Two, if you like it"}]},
 {"conversations": [{"from": "human", "value": "Say three."}, {"from": "gpt", "value": "Three"}]}]
J
learn() {
    "${@:2}" "$program" train --data "$work/data.json" --images "$source/examples" --model "$work/model" --out "$work/$1" \
        --batch 3 --accumulate 2 --steps 6 --rate 3e-3 --save-every 0 --float32 --optimizer "$optimizer"
}
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
two="mpirun --oversubscribe -n 2"
losses() { sed 's/.*"loss": \([0-9.]*\).*"gradient_norm": \([0-9.]*\).*/\1 \2/' "$work/$1/log.jsonl"; }
for optimizer in adamw muon; do
    rm -rf "$work/one" "$work/two"
    learn one env 2>/dev/null
    learn two $two 2>"$work/err" || { cat "$work/err"; exit 1; }
    [ "$(losses one | wc -l)" = 6 ] && [ "$(losses two | wc -l)" = 6 ] || { echo "FAILED: not one line a step"; exit 1; }
    paste -d ' ' <(losses one) <(losses two) | awk '
        function far(a, b) { return (a > b ? a - b : b - a) > 2e-4 * a }
        far($1, $3) || far($2, $4) { print "FAILED: step", NR ":", $0; bad = 1 }
        END { exit bad }'
done
[ -s "$work/two/model.safetensors" ] || { echo "FAILED: no model was written"; exit 1; }
sed -i 's/sign.jpg/gone.jpg/' "$work/data.json"
if learn three $two 2>"$work/err"; then echo "FAILED: a lost picture is no error"; exit 1; fi
[ "$(grep -c 'gone.jpg' "$work/err")" = 1 ] || { echo "FAILED: not one message:"; cat "$work/err"; exit 1; }
echo "two ranks learn as one"
