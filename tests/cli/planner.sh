#!/usr/bin/env bash
# planner.sh SOURCE PROGRAM: chat and plan refuse what makes no sense: the right exit status, one sentence on stderr,
# nothing on stdout. Then, where the shipped planner is in the tree, that they do their work.
set -u
. "$1/tests/cli/checks.sh"
model=$source/models/llava-plus-nano-v1
sign=$source/examples/sign.jpg

# batch WORDS: the lines on standard input are refused
batch() {
    cat >"$work/batch.jsonl"
    refused 1 "$1" plan --model "${2:-/nowhere}" --batch "$work/batch.jsonl"
}

refused 2 "either a sentence or --batch" plan
refused 2 "either a sentence or --batch" plan --batch x.jsonl "a sentence"
refused 2 "stand in the file" plan --batch x.jsonl --image "$sign"
refused 2 "--temperature" plan --temperature hot x
refused 2 "--max-tokens" plan --max-tokens 1 x
refused 2 "--samples" plan --samples 0 x
refused 2 "--points" plan --points '[[0.5]]' x
refused 2 "--points" plan --points nonsense x
refused 2 "--boxes" chat --boxes '{"a": 1}' x
refused 2 "needs --reference" chat --reference-boxes '[[0,0,1,1]]' x
refused 1 "/nowhere.png" chat --reference /nowhere.png x
refused 2 "standard input" chat --image -
refused 1 "/nowhere" plan --model /nowhere x
refused 1 "/nowhere" chat --model /nowhere x
refused 1 "/nowhere.jsonl" plan --batch /nowhere.jsonl
refused 1 "$work" plan --batch "$work"
batch "line 2" <<<$'{"id": 1, "instruction": "x"}\n{"id": 2, "instruction": '
batch "line 1" <<<'not json'
batch "line 3" <<<$'\n{"id": 1, "instruction": "x"}\n{"id": 1, "id": 2}'
batch "line 1" <<<$'{"id": 1, "instruction": "\xff"}'

if [ -f "$model/model.safetensors" ]; then
    batch "line 1: 'instruction' is missing" "$model" <<<'{"id": 1}'
    batch "line 1: 'id'" "$model" <<<'{"instruction": "x"}'
    batch "line 2: it is not an object" "$model" <<<$'{"id": 1, "instruction": "x"}\n[1]'
    batch "line 1: 'image'" "$model" <<<'{"id": 1, "instruction": "x", "image": 5}'
    batch "nowhere.png" "$model" <<<'{"id": 1, "instruction": "x", "image": "nowhere.png"}'
    batch "line 1: 'points'" "$model" <<<'{"id": 1, "instruction": "x", "points": [1]}'
    batch "line 1: the instruction is empty" "$model" <<<'{"id": 1, "instruction": " "}'
    batch "need a picture" "$model" <<<'{"id": 1, "instruction": "x", "points": [[0.5, 0.5]]}'
    batch "0 to 1" "$model" <<<"{\"id\": 1, \"instruction\": \"x\", \"image\": \"$sign\", \"points\": [[0.5, 7]]}"
    batch "'reference'" "$model" <<<'{"id": 1, "instruction": "x", "reference": "a.png"}'
    refused 1 "/nowhere.png" chat --model "$model" --image /nowhere.png x
    refused 1 "is empty" chat --model "$model" " "
    refused 1 "0 to 1" chat --model "$model" --image "$sign" --boxes '[[0,0,2,2]]' x

    printf '{"id": "a", "instruction": "What does the sign say?", "image": "%s"}\n\n{"id": 2, "instruction": "hello"}\n' \
        "$sign" >"$work/good.jsonl"
    "$program" plan --model "$model" --batch "$work/good.jsonl" >"$work/out" 2>"$work/err" || complain "a good batch"
    [ "$(wc -l <"$work/out")" = 2 ] && head -1 "$work/out" | grep -q '^{"id":"a","thoughts":' &&
        tail -1 "$work/out" | grep -q '^{"id":2,' || complain "a good batch's lines: $(cat "$work/out")"
    for seed in 1 1; do
        "$program" plan --model "$model" --image "$sign" --temperature 1 --seed $seed --samples 3 "Read it"
    done >"$work/out" 2>&1
    [ "$(sort -u "$work/out" | wc -l)" = "$(head -3 "$work/out" | sort -u | wc -l)" ] || complain "a seed is no seed"
    printf '/image %s\nWhat does the sign say?\n/objects\n/quit\nnot read\n' "$sign" |
        "$program" chat --model "$model" --out "$work/pictures" >"$work/out" 2>"$work/err" || complain "a chat"
    grep -q '"handle":"img_1"' "$work/out" || complain "the chat's objects: $(cat "$work/out")"
    "$program" chat --model "$model" --image - --json "What does the sign say?" <"$sign" >"$work/out" 2>&1 &&
        grep -q '^{"thoughts":".*"objects":\[' "$work/out" || complain "chat --json: $(cat "$work/out")"

    for run in 1 2 3; do # a cache folder is of use after a restart, and of no harm when it is damaged
        "$program" chat --model "$model" --image "$sign" --debug --cache "$work/new/cache" "What does the sign say?" \
            >"$work/out$run" 2>"$work/err" || complain "chat --cache: $(tail -1 "$work/err")"
        grep -m 1 "positions were known" "$work/err" >"$work/known$run"
        cmp -s "$work/out1" "$work/out$run" || complain "run $run with a cache: $(cat "$work/out$run")"
        [ $run = 1 ] || for file in "$work"/new/cache/*; do printf x | dd of="$file" bs=1 seek=90 conv=notrunc status=none; done
    done
    grep -q " 0 positions were known" "$work/known1" && grep -q " [1-9][0-9]* positions were known" "$work/known2" &&
        grep -q " 0 positions were known" "$work/known3" || complain "what was known: $(cat "$work"/known?)"
    refused 1 "is not a folder" plan --model "$model" --cache "$sign" x
fi
refused 2 "not for --planner" chat --planner http://127.0.0.1:9/v1 --planner-model x --cache "$work/c" x
exit $failed
