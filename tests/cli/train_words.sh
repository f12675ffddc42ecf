#!/usr/bin/env bash
# train_words.sh SOURCE PROGRAM: --words learns from the words alone; no picture need be there.
set -eu
source=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$source/tests/train/tiny_model.sh"
tiny_model "$source" "$work/model"
cat >"$work/data.json" <<'J'
[{"image": "gone.jpg", "conversations": [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A sign."},
  {"from": "human", "value": "And here?\n<image>"}, {"from": "gpt", "value": "The same."}]}]
J
run() { "$program" train --words "$work/data.json" "$@" 2>"$work/err" || { cat "$work/err"; exit 1; }; }

run --write-text "$work/text"
if grep -q '<image>' "$work/text"; then echo "FAILED: marks of pictures are left"; exit 1; fi
grep -q '^What is it?$' "$work/text" && grep -q 'The same' "$work/text" || { echo "FAILED: other words"; cat "$work/text"; exit 1; }
[ "$(head -n 1 "$work/text")" = "" ] || { echo "FAILED: no line break tells of the picture"; cat "$work/text"; exit 1; }
run --model "$work/model" --out "$work/out" --batch 1 --steps 2
grep -q ' 0 pictures' "$work/err" || { echo "FAILED: it wants pictures"; cat "$work/err"; exit 1; }
[ -s "$work/out/model.safetensors" ] || { echo "FAILED: no model was written"; exit 1; }
echo "words alone are learnt"
