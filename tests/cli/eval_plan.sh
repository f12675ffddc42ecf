#!/usr/bin/env bash
# eval plan: what is wrong with a set is said with its line, before any model is opened; a small set is measured.
# usage: eval_plan.sh SOURCE_DIR BINARY
set -u
source=$1 binary=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

# expect STATUS WORDS ARGUMENTS...: the exit status, and words that stand in the output
expect() {
    local status=$1 words=$2
    shift 2
    "$binary" eval "$@" >"$folder/out" 2>&1
    local got=$?
    if [ "$got" != "$status" ] || ! grep -qF -- "$words" "$folder/out"; then
        echo "eval $*: exit $got, expected $status and '$words':"
        cat "$folder/out"
        bad=1
    fi
}

line='{"id": 1, "instruction": "find the dog", "image": null, "expected": '
echo "$line"'[[{"skill": "juggle"}]]}' >"$folder/skill.jsonl"
printf '%s\n\n%s\n' "$line"'[[]]}' "$line"'[[{"skill": "detect", "params": {"prompt": "x"}}]]}' >"$folder/param.jsonl"
echo '{"id": 1, "instruction": "x"}' >"$folder/none.jsonl"
echo "$line" >"$folder/json.jsonl"
expect 2 "usage: llava-plus eval"
expect 2 "nothing called 'juggling'" juggling
expect 2 "--set FILE.jsonl" plan
expect 1 "'juggle' is no skill" plan --set "$folder/skill.jsonl"
expect 1 "line 3: detect has no parameter 'prompt'" plan --set "$folder/param.jsonl"
expect 1 "'expected' must be a list" plan --set "$folder/none.jsonl"
expect 1 "line 1" plan --set "$folder/json.jsonl"
expect 1 "No such file" plan --set "$folder/nothing.jsonl"

head -3 "$source/data/development/instructions.jsonl" | sed "s#\.\./heldout#$source/data/heldout#" >"$folder/set.jsonl"
expect 0 "of 3 lines" plan --set "$folder/set.jsonl" --json "$folder/counts.json" --picture "$folder/table.png"
grep -q '"skill_lines":3' "$folder/counts.json" && [ -s "$folder/table.png" ] || {
    echo "the counts or the picture are missing"
    bad=1
}
expect 1 "/nonexistent" plan --set "$folder/set.jsonl" --misses /nonexistent/x
exit $bad
