#!/usr/bin/env bash
# train_words.sh SOURCE PROGRAM: --without-pictures learns from the words alone; no picture need be there.
set -eu
source=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/model"
ln -s "$source/tests/golden/tokenizer/tokenizer.model" "$work/model/"
cat >"$work/model/config.json" <<'J'
{"model_type": "llava", "rms_norm_eps": 0.001,
 "text_config": {"model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
  "num_attention_heads": 2, "vocab_size": 4096, "max_position_embeddings": 200},
 "vision_config": {"model_type": "clip_vision_model", "hidden_size": 16, "intermediate_size": 32,
  "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16, "patch_size": 8}}
J
cat >"$work/data.json" <<'J'
[{"image": "gone.jpg", "conversations": [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A sign."},
  {"from": "human", "value": "And here?\n<image>"}, {"from": "gpt", "value": "The same."}]}]
J
run() { "$program" train --data "$work/data.json" --without-pictures "$@" 2>"$work/err" || { cat "$work/err"; exit 1; }; }

run --write-text "$work/text"
if grep -q '<image>' "$work/text"; then echo "FAILED: marks of pictures are left"; exit 1; fi
grep -q '^What is it?$' "$work/text" && grep -q 'The same' "$work/text" || { echo "FAILED: other words"; cat "$work/text"; exit 1; }
run --model "$work/model" --out "$work/out" --batch 1 --steps 2
grep -q ' 0 pictures' "$work/err" || { echo "FAILED: it wants pictures"; cat "$work/err"; exit 1; }
[ -s "$work/out/model.safetensors" ] || { echo "FAILED: no model was written"; exit 1; }
echo "words alone are learnt"
