#!/usr/bin/env bash
# planner.sh: makes models/llava-plus-nano-v1 from nothing, with the program's own commands: dialogues, a tokenizer, two
# schools of plans alone (a dialogue's first two turns), then one of whole dialogues. About 35 minutes on two cores.
# Needs a release build, and Debian's package `sentencepiece` for the tokenizer. WORK keeps what it makes.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/build/release/src/cli/llava-plus
here=$PWD/tools/nano/planner
work=${WORK:-build/nano}
name=llava-plus-nano-v1 # chooses the template
new=$work/new/$name first=$work/first/$name second=$work/second/$name
mkdir -p "$new"
export OMP_WAIT_POLICY=active

echo "1. Dialogues and their pictures"
"$program" data instruct --count 64000 --seed 1 --out "$work/plans.json" --images "$work/pictures"
"$program" data instruct --count 32000 --seed 3 --out "$work/more.json"
"$program" data instruct --count 12000 --seed 2 --out "$work/dialogues.json"

echo "2. A tokenizer as LLaMA's: byte-pair encoding with byte fallback, digits apart"
"$program" train --data "$work/dialogues.json" --images "$work/pictures" --write-text "$work/text"
spm_train --input="$work/text" --model_prefix="$work/tokenizer" --vocab_size=4000 --model_type=bpe \
    --byte_fallback=true --split_digits=true --normalization_rule_name=identity --remove_extra_whitespaces=false \
    --allow_whitespace_only_pieces=true --character_coverage=1.0 --input_sentence_size=400000 \
    --shuffle_input_sentence=true --max_sentence_length=8192 --num_threads=2 --minloglevel=1
cp "$work/tokenizer.model" "$here"/*.json "$new"

school() { # DATA FROM TO [OPTION...]
    "$program" train --images "$work/pictures" --batch 16 --data "$work/$1" --model "$2" --out "$3" "${@:4}"
}
echo "3. Plans"
school plans.json "$new" "$first" --turns 2 --float32 --rate 2e-3
school more.json "$first" "$second" --turns 2 --float32 --rate 1e-3 --seed 3

echo "4. Whole dialogues"
school dialogues.json "$second" "$work/trained" --rate 7e-4 --seed 2

mkdir -p "models/$name"
cp "$work"/trained/{model.safetensors,tokenizer.model,config.json,preprocessor_config.json} "models/$name/"
ls -l "models/$name"
