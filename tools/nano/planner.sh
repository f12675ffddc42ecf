#!/usr/bin/env bash
# planner.sh: makes models/llava-plus-nano-v1 from nothing, with the program's own commands: dialogues, a tokenizer, a
# school of plans alone (a dialogue's first two turns), then one of whole dialogues. About 30 minutes on two idle cores.
# Needs a release build, and Debian's package `sentencepiece` for the tokenizer. WORK keeps what it makes.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/build/release/src/cli/llava-plus
here=$PWD/tools/nano/planner
work=${WORK:-build/nano}
name=llava-plus-nano-v1 # chooses the template
new=$work/new/$name first=$work/first/$name
mkdir -p "$new"
export OMP_WAIT_POLICY=active

echo "1. Dialogues and their pictures"
"$program" data scenes --count 4000 --seed 1 --out "$work/pictures"
"$program" data instruct --scenes "$work/pictures" --count 64000 --seed 1 --out "$work/plans.json"
"$program" data instruct --scenes "$work/pictures" --count 12000 --seed 2 --out "$work/dialogues.json"

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
    --batch 16 --rate 7e-4 --seed 2

mkdir -p "models/$name"
cp "$work"/trained/{model.safetensors,tokenizer.model,config.json,preprocessor_config.json} "models/$name/"
ls -l "models/$name"
