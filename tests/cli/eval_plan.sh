#!/usr/bin/env bash
# eval plan: what is wrong with a set is said with its line, before any model is opened; a small set is measured.
# usage: eval_plan.sh SOURCE_DIR BINARY
set -u
. "$1/tests/cli/checks.sh"

line='{"id": 1, "instruction": "find the dog", "image": null, "expected": '
echo "$line"'[[{"skill": "juggle"}]]}' >"$work/skill.jsonl"
printf '%s\n\n%s\n' "$line"'[[]]}' "$line"'[[{"skill": "detect", "params": {"prompt": "x"}}]]}' >"$work/param.jsonl"
echo '{"id": 1, "instruction": "x"}' >"$work/none.jsonl"
echo "$line" >"$work/json.jsonl"
expect 2 "usage: llava-plus eval"
expect 0 "  scenes " --help
expect 2 "there is no command 'juggling'; see 'llava-plus eval --help'" juggling
expect 2 "there is no command 'scnes', perhaps you mean scenes" scnes
expect 2 "--set FILE.jsonl" plan
expect 1 "'juggle' is no skill" plan --set "$work/skill.jsonl"
expect 1 "line 3: detect has no parameter 'prompt'" plan --set "$work/param.jsonl"
expect 1 "'expected' must be a list" plan --set "$work/none.jsonl"
expect 1 "line 1" plan --set "$work/json.jsonl"
expect 1 "No such file" plan --set "$work/nothing.jsonl"

head -3 "$source/data/development/instructions.jsonl" | sed "s#\.\./heldout#$source/data/heldout#" >"$work/set.jsonl"
expect 0 "of 3 lines" plan --set "$work/set.jsonl" --json "$work/counts.json" --picture "$work/table.png"
grep -q '"skill_lines":3' "$work/counts.json" && [ -s "$work/table.png" ] || {
    echo "the counts or the picture are missing"
    failed=1
}
expect 1 "/nonexistent" plan --set "$work/set.jsonl" --misses /nonexistent/x
exit $failed
