#!/usr/bin/env bash
# What the shipped Grounding DINO finds in held-out scenes: asked by eval detect for all names, and by a plain sentence; and
# whether the shipped planner's answers tell it.
# usage: detect_stickers.sh SOURCE_DIR BINARY
set -u
. "$1/tests/cli/checks.sh"
unset LLAVA_PLUS_MODELS
scenes=$work/scenes truth=$work/scenes/instances.json

"$program" data scenes --count 8 --seed 990001 --out "$scenes" 2>/dev/null || complain "no scenes were drawn"

# on 1,000 scenes of this seed: models/llava-plus-nano-grounding-dino-v1/README.md
expect 0 "8 pictures, 24 boxes to find" detect --truth "$truth" --images "$scenes" --least-ap50 0.7
expect 0 "snail" detect --truth "$truth" --images "$scenes" --categories snail,bicycle --least-ap50 0.7
expect 1 "is below 1.0000" detect --truth "$truth" --images "$scenes" --categories snail --least-ap 1
expect 1 "$work/none/000000.jpg" detect --truth "$truth" --images "$work/none"
expect 2 "or with --images DIR where to look" detect --truth "$truth" --images "$scenes" --results "$truth"
expect 2 "there is no option '--images'" segment --truth "$truth" --images "$scenes"

# on 1,000 scenes: models/llava-plus-nano-v1/README.md
expect 0 "answers right in all of that" answers --scenes "$scenes" --least-right 0.8 --json "$work/answers.json"
grep -q '"asked":8,"looked":[5-8],' "$work/answers.json" || complain "the detector was not called: $(cat "$work/answers.json")"
expect 0 "asked to find, to count or to locate       3" answers --scenes "$scenes" -n 3 --skills perfect --misses "$work/misses"
[ -f "$work/misses" ] || complain "--misses wrote nothing"
expect 2 "skills are 'real', 'perfect' or 'imperfect', not 'ideal'" answers --scenes "$scenes" --skills ideal
expect 2 "say with --scenes DIR which pictures" answers

annotations() { # PICTURE CATEGORY: with one thing
    printf '{"images": [{"id": 1, %s}], "categories": [{"id": 1, "name": "%s"}],' "$1" "$2"
    printf '"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "area": 4, "bbox": [1, 1, 2, 2]}]}'
}
annotations '"file_name": "000000.jpg"' 'dog . cat' >"$work/two.json"
expect 1 "two.json: the category 'dog . cat' cannot be asked for" detect --truth "$work/two.json" --images "$scenes"
annotations '"width": 256, "height": 256' 'dog' >"$work/nameless.json"
expect 1 "nameless.json: the picture of the id 1 has no 'file_name'" detect --truth "$work/nameless.json" --images "$scenes"
annotations '"file_name": "000000.jpg", "width": 256, "height": 100' 'dog' >"$work/other.json"
expect 1 "000000.jpg has 256 x 256 px, its truth 256 x 100" detect --truth "$work/other.json" --images "$scenes"

# the snail in the third scene lies at 66..150, 155..236 px
"$program" chat --image "$scenes/000002.jpg" --json "Find the snail" >"$work/answer" 2>"$work/err"
grep -q '"API_name":"grounding_dino",.*"status":"done",.*"handle":"box_1"' "$work/answer" ||
    complain "chat found nothing: $(cat "$work/answer" "$work/err")"
box=$(grep -oE '"boxes":\[\[[0-9.,]+\]' "$work/answer" | head -1 | tr -cs '0-9.' ' ')
overlap "$box" "66 155 150 236" ||
    complain "chat found something else: $(cat "$work/answer")"

# the fifth has two bicycles
"$program" chat --image "$scenes/000004.jpg" --json "Cut out the bicycles" >"$work/answer" 2>"$work/err"
grep -q '"API_name":"grounding_dino+sam",.*"status":"done",.*"handle":"mask_2"' "$work/answer" ||
    complain "chat cut nothing out: $(cat "$work/answer" "$work/err")"
exit $failed
