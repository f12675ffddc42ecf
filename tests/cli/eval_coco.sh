#!/usr/bin/env bash
# eval detect, eval segment: pycocotools' numbers from files, in a table, as JSON and drawn; what is wrong is said.
# usage: eval_coco.sh SOURCE_DIR BINARY
set -u
. "$1/tests/cli/checks.sh"
golden=$source/tests/golden/coco

of() {
    echo "--truth $golden/$1.truth.json --results $golden/$1.results.json"
}

# tests/golden/coco/boxes.expected.json and runs.expected.json have these numbers
expect 0 "AP         0.3607   iou 0.50:0.95  all     at most 100" detect $(of boxes)
expect 0 "AR large   0.6417   iou 0.50:0.95  large   at most 100" detect $(of boxes)
expect 0 "AP         0.1719" segment $(of runs) --json "$work/out.json" --picture "$work/curves.png" --bars "$work/bars.png"
grep -q '"of":"masks".*"AP":0.1718767.*"AR_100":0.29017.*"name":"kind 3".*"AP50":0.50495' "$work/out.json" &&
    [ -s "$work/curves.png" ] && [ -s "$work/bars.png" ] || {
    echo "the numbers or the pictures are missing"
    failed=1
}
expect 0 "AR 12      0.7381" detect $(of boxes) --categories "kind 7,kind 18" --max-detections 12
expect 0 "all categories as one" detect $(of boxes) --agnostic
expect 0 "AP              -   iou" detect $(of nothing_there) --bars "$work/none.png" --picture "$work/none.png"
expect 0 "count ids from 1" detect $(of boxes_id0)
expect 1 "AP: 0.3607 is below 0.5000" detect $(of boxes) --least-ap 0.5

echo '[{"image_id": 1}]' >"$work/bad.json"
printf '[{"image_id": 1, "score": NaN}]' >"$work/nan.json"
expect 2 "with --results FILE what was found or with --images DIR where to look" detect --truth "$work/bad.json"
expect 2 "has no category 'dog'" detect $(of boxes) --categories dog
expect 2 "from 1 to 100000, not 0" segment $(of runs) --max-detections 0
expect 1 "bad.json: it has no list 'categories'" detect --truth "$work/bad.json" --results "$work/bad.json"
expect 1 "bad.json: result 1: it has no 'category_id'" detect --truth "$golden/boxes.truth.json" --results "$work/bad.json"
expect 1 "nan.json is not valid JSON" detect --truth "$golden/boxes.truth.json" --results "$work/nan.json"
expect 1 "No such file" segment --truth "$work/none.json" --results "$work/none.json"
expect 1 "/nonexistent" segment $(of runs) --json /nonexistent/x
exit $failed
