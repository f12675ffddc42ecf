#!/usr/bin/env bash
# model_gguf.sh SOURCE PROGRAM: model info and model quantize from the outside, and planners of GGUF files: the nano
# planner in q8_0 blocks plans as it does in its folder; mistakes are told in one sentence.
set -u
. "$1/tests/cli/checks.sh"
golden=$source/tests/golden
model=$source/models/llava-plus-nano-v1

# says WORDS ARGUMENTS..
says() {
    local words=$1
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" || complain "$*: $(cat "$work/err")"
    grep -qF -- "$words" "$work/out" || complain "$* does not say '$words': $(cat "$work/out")"
}

says "keys and values   81.9 KB for all 256 positions" model info "$golden/gguf/language.gguf"
says "62   F32          37370  149.5 KB" model info "$golden/gguf/language.gguf"
says "from $golden/gguf/mmproj.gguf" model info "$golden/gguf/language.gguf"
says "F32   model.layers.1.mlp.up_proj.weight [33,40]" model info --tensors "$golden/gguf/language.gguf"
says '"keys_and_values_bytes":81920' model info --json "$golden/llava_mlp"
says '"lacks":null' model info --json "$golden/llava_linear"
says '{"name":"language_model.lm_head.weight","type":"F32","shape":[64,40],"bytes":10240}' \
    model info --json --tensors "$golden/llava_mlp"
cp "$golden/gguf/language.gguf" "$work/alone.gguf"
says "LLaMA without a picture encoder" model info "$work/alone.gguf"
mkdir "$work/lacking"
cp "$golden/llava_mlp/"* "$work/lacking"
sed -i 's/"num_hidden_layers": 2/"num_hidden_layers": 3/' "$work/lacking/config.json"
says "it cannot be opened: " model info "$work/lacking"

refused 2 "something is missing" model info
refused 1 "/nowhere" model info /nowhere
refused 1 "is no language model" model info "$golden/gguf/mmproj.gguf"
refused 1 "beside it is no picture encoder" plan --model "$work/alone.gguf" hello
refused 1 "is no picture encoder" chat --model "$work/alone.gguf" --mmproj "$golden/gguf/blocks.gguf" hello
refused 2 "--mmproj goes with a GGUF model" plan --model "$golden/llava_mlp" --mmproj "$golden/gguf/mmproj.gguf" hello
refused 2 "either --mmproj or --planner" plan --planner http://localhost:1 --planner-model x --mmproj x hello
refused 1 "cannot be trained" train --model "$golden/gguf/language.gguf" --data "$source/data/heldout/plans.jsonl" --out "$work/x"
refused 2 "say with --model" model quantize --type q8_0 --out x.gguf
refused 2 "say with --out" model quantize --model "$model" --type q8_0
refused 2 "say with --type" model quantize --model "$model" --out "$work/x.gguf"
refused 2 "is no GGUF file" model pack "$golden/llava_mlp"
refused 1 "/nowhere.gguf" model pack /nowhere.gguf
refused 2 "something is missing" model pack
refused 2 "say with --type" model quantize --model "$model" --out "$work/x.gguf" --type q5_K
refused 2 "must end in .gguf" model quantize --model "$model" --out "$work/x" --type q8_0

if [ -f "$model/model.safetensors" ]; then
    says "$work/mmproj-nano.gguf: the picture encoder, 7.7 MB" \
        model quantize --model "$model" --type q8_0 --out "$work/nano.gguf"
    refused 2 "nano.gguf' is there already" model quantize --model "$model" --type q4_k --out "$work/nano.gguf"
    says "llava_v1, trained with handles" model info "$work/nano.gguf"
    sign=$source/examples/sign.jpg
    says "$work/nano.gguf.packed: " model pack "$work/nano.gguf"
    says '"API_name":"ocr"' plan --model "$work/nano.gguf" --image "$sign" "What does the sign say?"
    says "OPEN DAILY" chat --model "$work/nano.gguf" --mmproj "$work/mmproj-nano.gguf" --image "$sign" "What does the sign say?"
    printf '%s\n' '{"id": 1, "instruction": "What does the sign say?", "expected": [[{"skill": "ocr"}]]}' >"$work/set.jsonl"
    "$program" eval plan --model "$work/nano.gguf" --set "$work/set.jsonl" >"$work/out" 2>&1 || complain "eval plan: $(cat "$work/out")"
fi
exit $failed
