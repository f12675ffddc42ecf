#!/usr/bin/env bash
# llava-plus skill list and skill run from outside: exit statuses, where output goes, the shape of JSON.
# usage: skill.sh SOURCE_DIR BINARY
set -u
source=$1 bin=$2
picture=$source/tests/e2e/ocr/22-error.png
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# expect STATUS STDOUT_PATTERN STDERR_PATTERN ARGUMENTS...: patterns are extended regular expressions over the whole
# output with line ends as '~'; '' wants no output at all.
expect() {
    local status=$1 out=$2 err=$3 got
    shift 3
    "$bin" skill "$@" >"$work/out" 2>"$work/err" <"$picture"
    got=$?
    [ "$got" = "$status" ] && holds "$out" "$work/out" && holds "$err" "$work/err" && return
    echo "skill $*: status $got (wanted $status), stdout: $(head -c 500 "$work/out"), stderr: $(head -c 500 "$work/err")"
    failures=$((failures + 1))
}

holds() {
    if [ -z "$1" ]; then [ ! -s "$2" ]; else tr '\n' '~' <"$2" | grep -qE -- "$1"; fi
}

reading='^Disk Utility~The backup could not be completed.~There is not enough free space on drive D.~Try again Cancel~$'

expect 0 'detect  \(grounding_dino\).*ready       yes.*segment_semantic  .*lacks       OpenSeeD.*4 of 16 skills' '' list
expect 0 '^\[.*"name": "segment_semantic",.*"api_name": "openseed".*"ready": false,.*"lacks": "OpenSeeD.*\]~$' '' list --json
expect 2 '' "^llava-plus skill list: there is no option '--jsn'; did you mean '--json'\?~$" list --jsn
expect 2 '' '^usage: llava-plus skill COMMAND'
expect 0 '^usage: llava-plus skill COMMAND' '' --help
expect 0 '^usage: llava-plus skill run NAME' '' run --help
expect 0 '--caption TEXT.*-i, --image PICTURE' '' run detect --help

expect 0 "$reading" '' run ocr --image "$picture"
expect 0 "$reading" '' run easyocr -i "$picture"
expect 0 "$reading" '' run ocr --image -
expect 0 '^\{.*"skill": "ocr",.*"text": "Disk Utility\\n.*"box": \[.*"confidence": 0\.[0-9]+.*"handles": "text_1, box_1..box_4".*\}~$' '' \
    run ocr --image "$picture" --json
expect 0 "$reading" '' run ocr --image "$picture" --out "$work/drawn.png"
[ -s "$work/drawn.png" ] || { echo "--out wrote nothing"; failures=$((failures + 1)); }
expect 2 '' '^llava-plus skill run: .*~$' run ocr --image "$picture" --out "$work/drawn.xyz"
expect 1 '' '^llava-plus skill run: .*~$' run ocr --image "$work/none.png"
mkdir "$work/empty" "$work/two"
expect 1 '' "^llava-plus skill run: there is no picture in the folder '[^']*/empty'~$" run ocr --image "$work/empty"
expect 1 '' '^llava-plus skill run: .*~$' run ocr --image "$picture" --out "$work/no/such/folder.png"
expect 2 '' 'ocr needs a picture: give one with --image FILE~$' run ocr
expect 2 '' "there is no skill 'orc'" run orc --image "$picture"
expect 2 '' "did you mean 'detect'\?~$" run detct --image "$picture"
expect 2 '' 'name the skill first' run --image "$picture" ocr
expect 2 '' 'NAME' run
expect 2 '' "there is no option '--caption'" run ocr --image "$picture" --caption dog
expect 2 '' "'x' is one argument too many" run ocr x --image "$picture"

# several pictures: each in turn, and one that fails stops none
cp "$picture" "$work/two/a.png"
printf 'no picture' >"$work/two/b.jpg"
expect 1 '^[^~]*/two/a.png:~Disk Utility~.*Try again Cancel~$' \
    "^llava-plus skill run: [^~]*b.jpg' is not a picture[^~]*~llava-plus skill run: 1 of 2 pictures failed~$" run ocr -i "$work/two"
expect 0 '^\{"file":"[^"]*a.png","skill":"ocr","text":"Disk Utility[^~]*\}~\{"file":"[^"]*22-error.png",[^~]*\}~$' '' \
    run ocr --json --image "$work/two/a.png" --image "$picture" --out "$work/seen"
[ -s "$work/seen/a.png" ] && [ -s "$work/seen/22-error.png" ] || { echo "--out drew nothing"; failures=$((failures + 1)); }
expect 2 '' "two pictures would be drawn into '[^']*/a.png'" run ocr -i "$work/two/a.png" -i "$work/two" --out "$work/seen"
expect 2 '' "a.png' would be drawn over itself: take another folder" run ocr -i "$work/two" --out "$work/two"

# COCO's results, by a miniature of SAM: random weights, so only their shape can be looked at
mkdir "$work/models"
ln -s "$source/tests/golden/sam_hf" "$work/models/sam"
cat >"$work/truth.json" <<'JSON'
{"images": [{"id": 7, "file_name": "a.png", "width": 560, "height": 280}], "categories": [{"id": 3, "name": "window"}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0,
  "segmentation": [[10, 10, 30, 10, 30, 30, 10, 30]]}]}
JSON
at='[[0.5,0.4]]'
LLAVA_PLUS_MODELS=$work/models expect 0 '^mask_1 ' '' run segment_at -i "$work/two/a.png" --points "$at" \
    --truth "$work/truth.json" --results "$work/results.json"
grep -qE '^\[(\{"image_id":7,"category_id":3,"bbox":\[[0-9.,]+\],"score":[-0-9.e]+,"segmentation":\{"size":\[[0-9,]+\],"counts":"[^"]+"\}\})?\]$' \
    "$work/results.json" || { echo "no COCO results: $(head -c 300 "$work/results.json")"; failures=$((failures + 1)); }
"$bin" eval segment --truth "$work/truth.json" --results "$work/results.json" >/dev/null ||
    { echo "eval segment does not read the results"; failures=$((failures + 1)); }
LLAVA_PLUS_MODELS=$work/models expect 1 '' "the annotations know no picture '22-error.png'~$" run segment_at -i "$picture" \
    --points "$at" --truth "$work/truth.json" --results "$work/results.json"
expect 2 '' '--results and --truth belong together' run segment_at -i "$picture" --points "$at" --results "$work/results.json"
printf '{}' >"$work/none.json"
LLAVA_PLUS_MODELS=$work/models expect 1 '' "none.json: it names no pictures: .*~$" run segment_at -i "$picture" --points "$at" \
    --truth "$work/none.json" --results "$work/results.json"

for name in segment_semantic segment_levels caption tag caption_ground tag_ground \
    retrieve edit inpaint; do
    expect 1 '' "^llava-plus skill run: $name is not ready on this machine: it needs [^~]*weights[^~]*~$" \
        run $name --image "$picture"
done
for name in generate generate_from_layout; do
    expect 1 '' "^llava-plus skill run: $name is not ready on this machine: it needs [^~]*weights[^~]*~$" run $name
done
expect 1 '' 'segment_like is not ready' run segment_like --image "$picture" --reference "$picture" \
    --reference-boxes '[[0.1,0.2,0.5,0.6]]'
expect 0 '"masks": \[~ +\{~ +"score": [0-9.]+,.*"segmentation": \{~.*"handles": "mask_1"~\}~$' '' \
    run segment_at --image "$picture" --points '[[0.5,0.4]]' --json
expect 1 '' 'inpaint is not ready' run inpaint --image "$picture" --prompt 'a cat' --mask "$picture"
expect 2 '' '--points is not a JSON list such as \[\[0.5,0.4\]\]~$' run segment_at --image "$picture" --points '0.5;0.4'
expect 2 '' '--reference-boxes is not a list' run segment_like --image "$picture" --reference-boxes '{}'

[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "all passed"
