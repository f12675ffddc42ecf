#!/usr/bin/env bash
# eval prompts, and segment_at with what is shipped: in held-out scenes it finds what a click is on and a box surrounds.
# usage: eval_prompts.sh TESTS_DIR BINARY
set -u
program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$1/cli/checks.sh"
unset LLAVA_PLUS_MODELS

"$program" data scenes --count 12 --seed 990001 --out "$work/scenes" 2>/dev/null || complain "no scenes were drawn"

# on 1,000 scenes of this seed: models/llava-plus-nano-sam-v1/README.md
expect 0 "wholes        " prompts --scenes "$work/scenes" --least-click 0.7 --least-box 0.75 --json "$work/out.json"
grep -q '"wholes":{"things":[0-9]*,"click":0\.[0-9]*,"box":0\.' "$work/out.json" || complain "the means are missing in the JSON"
expect 1 "is below 1.0000" prompts --scenes "$work/scenes" -n 2 --least-box 1
expect 2 "say with --scenes DIR which pictures" prompts
expect 1 "none/instances.json" prompts --scenes "$work/none"
echo '{"images": [], "annotations": [], "categories": []}' >"$work/instances.json"
expect 1 "nothing in its pictures has a mask" prompts --scenes "$work"
exit $failed
