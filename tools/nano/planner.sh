#!/usr/bin/env bash
# planner.sh: makes models/llava-plus-nano-v1 from nothing, with the program's own commands: dialogues, a tokenizer, a
# school of plans alone (the first two turns), then a school of whole dialogues.
# Needs a release build, and Debian's package `sentencepiece` for the tokenizer. WORK keeps what it makes.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/build/release/src/cli/llava-plus
here=$PWD/tools/nano/planner
work=${WORK:-build/nano}
plans=${PLANS:-64000} dialogues=${DIALOGUES:-24000}
new=$work/new/llava-plus-nano-v1 first=$work/first/llava-plus-nano-v1 # the name chooses the template
mkdir -p "$new"

echo "1. Dialogues and their pictures"
"$program" data instruct --count "$plans" --seed 1 --out "$work/plans.json" --images "$work/pictures"
"$program" data instruct --count "$dialogues" --seed 2 --out "$work/dialogues.json"

echo "2. A tokenizer as LLaMA's: byte-pair encoding with byte fallback, digits apart"
"$program" train --data "$work/dialogues.json" --images "$work/pictures" --write-text "$work/text"
spm_train --input="$work/text" --model_prefix="$work/tokenizer" --vocab_size=4000 --model_type=bpe \
    --byte_fallback=true --split_digits=true --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --allow_whitespace_only_pieces=true --character_coverage=1.0 --input_sentence_size=400000 \
    --shuffle_input_sentence=true --max_sentence_length=8192 --num_threads=2 --minloglevel=1
cp "$work/tokenizer.model" "$here"/*.json "$new"

echo "3. Plans"
"$program" train --data "$work/plans.json" --images "$work/pictures" --turns 2 --model "$new" --out "$first" --float32 \
    --batch 16 --rate 2e-3

echo "4. Whole dialogues"
"$program" train --data "$work/dialogues.json" --images "$work/pictures" --model "$first" --out "$work/trained" \
    --batch 16 --rate 1e-3 --seed 2

mkdir -p models/llava-plus-nano-v1
cp "$work"/trained/{model.safetensors,tokenizer.model,config.json,preprocessor_config.json} models/llava-plus-nano-v1/
ls -l models/llava-plus-nano-v1
