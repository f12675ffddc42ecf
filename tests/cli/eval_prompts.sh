#!/usr/bin/env bash
# What the shipped SAM cuts out of held-out scenes: asked by eval prompts, and by a plain sentence with a mark.
# usage: eval_prompts.sh SOURCE_DIR BINARY
set -u
. "$1/tests/cli/checks.sh"
unset LLAVA_PLUS_MODELS

"$program" data scenes --count 8 --seed 990001 --out "$work/scenes" 2>/dev/null || complain "no scenes were drawn"

# on 1,000 scenes of this seed: models/llava-plus-nano-sam-v1/README.md
expect 0 "wholes        " prompts --scenes "$work/scenes" --least-click 0.8 --least-box 0.85 --json "$work/out.json"
grep -q '"wholes":{"things":[0-9]*,"click":0\.[0-9]*,"box":0\.' "$work/out.json" || complain "the means are missing in the JSON"
expect 1 "is below 1.0000" prompts --scenes "$work/scenes" -n 2 --least-box 1
expect 2 "say with --scenes DIR which pictures" prompts
expect 1 "none/instances.json" prompts --scenes "$work/none"
echo '{"images": [], "annotations": [], "categories": []}' >"$work/instances.json"
expect 1 "nothing in its pictures has a mask" prompts --scenes "$work"

# the first thing in the first scene lies at 192..243, 165..247 px
"$program" chat --image "$work/scenes/000000.jpg" --points '[[0.85,0.8]]' --json "Cut out what I clicked on" \
    >"$work/answer" 2>"$work/err"
grep -q '"API_name":"sam",.*"status":"done",.*"handle":"mask_1"' "$work/answer" ||
    complain "chat cut nothing out: $(cat "$work/answer" "$work/err")"
box=$(sed -nE 's/.*"masks":\[\{"score":[0-9.]+,"box":\[([0-9,]+)\].*/\1/p' "$work/answer" | tr , ' ')
overlap "$box" "192 165 243 247" ||
    complain "chat cut something else out: $(cat "$work/answer")"
exit $failed
