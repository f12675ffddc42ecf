#!/usr/bin/env bash
# planner.sh: makes models/llava-plus-nano-v1 from nothing, with the program's own commands. The result is the same for the
# same machine kind and thread count.  DIALOGUES, BATCH and RATE change the size of the school; WORK keeps what it makes.
# Needs a release build, and Debian's package `sentencepiece` for the tokenizer.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/build/release/src/cli/llava-plus
here=$PWD/tools/nano/planner
work=${WORK:-build/nano}
dialogues=${DIALOGUES:-36000} batch=${BATCH:-16} rate=${RATE:-1.5e-3}
new=$work/llava-plus-nano-v1 # the name chooses the template
mkdir -p "$new"

echo "1. Dialogues and their pictures"
"$program" data instruct --count "$dialogues" --seed 1 --out "$work/dialogues.json" --images "$work/pictures"

echo "2. A tokenizer as LLaMA's: byte-pair encoding with byte fallback, digits apart"
"$program" train --data "$work/dialogues.json" --images "$work/pictures" --write-text "$work/text"
spm_train --input="$work/text" --model_prefix="$work/tokenizer" --vocab_size=4000 --model_type=bpe \
    --byte_fallback=true --split_digits=true --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --allow_whitespace_only_pieces=true --character_coverage=1.0 --input_sentence_size=400000 \
    --shuffle_input_sentence=true --max_sentence_length=8192 --num_threads=2 --minloglevel=1
cp "$work/tokenizer.model" "$here"/*.json "$new"

echo "3. The planner"
"$program" train --data "$work/dialogues.json" --images "$work/pictures" --model "$new" --out "$work/trained" \
    --epochs 1 --batch "$batch" --rate "$rate" --save-every 200

mkdir -p models/llava-plus-nano-v1
cp "$work"/trained/{model.safetensors,tokenizer.model,config.json,preprocessor_config.json} models/llava-plus-nano-v1/
ls -l models/llava-plus-nano-v1
