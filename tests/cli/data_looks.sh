#!/usr/bin/env bash
# data_looks.sh SOURCE PROGRAM: data show, data stats and data rewrite from the outside: files come, mistakes are told in one sentence.
set -eu
. "$1/tests/cli/checks.sh"
tests=$source/tests dir=$work
unset OPENAI_API_KEY

cat >"$dir/d.json" <<'END'
[{"unique_id": 1, "image": "000000.jpg", "conversations": [
 {"from": "human", "value": "<image>\nfind the cat"},
 {"from": "gpt", "actions": [{"API_name": "grounding_dino", "API_params": {"caption": "cat"}}], "value": "Wait"}]}]
END

"$program" data show --scenes "$tests/data/scenes" --out "$dir/one.png"
"$program" data show --scenes "$tests/data/scenes" --count 5 --out "$dir/sheet.jpg"
"$program" data show --scenes "$tests/data/scenes" --number 10 --count 5 --out "$dir/pages/"
"$program" data show --data "$dir/d.json" --images "$tests/data/scenes" --out "$dir/talk.webp"
for file in one.png sheet.jpg pages/000010.png pages/000011.png talk.webp; do
    [ -s "$dir/$file" ] || complain "no $file"
done
[ "$(ls "$dir/pages" | wc -l)" = 2 ] || complain "more pages than pictures"
"$program" data stats "$dir/d.json" "$dir/d.json" --out "$dir/bars.png" | grep -q '^detect  *2 ' || complain "stats count wrongly"
[ -s "$dir/bars.png" ] || complain "no bars"

refused 2 "--scenes DIR or --data FILE" data show --out "$dir/x.png"
refused 2 "there is no picture 99" data show --scenes "$tests/data/scenes" --number 99 --out "$dir/x.png"
refused 2 "has no record 7" data show --data "$dir/d.json" --number 7 --out "$dir/x.png"
refused 1 "000000.jpg" data show --data "$dir/d.json" --images "$dir" --out "$dir/x.png"
refused 1 "instances.json" data show --scenes "$dir" --out "$dir/x.png"
refused 1 "cannot open" data stats "$dir/lost.json"
refused 1 "JSON array" data stats "$tests/data/scenes/instances.json"
refused 2 "--endpoint URL" data rewrite --like "$dir/d.json" --out "$dir/o.json"
refused 2 "--like FILE" data rewrite --out "$dir/o.json"
refused 2 "it must be https" data rewrite --like "$dir/d.json" --out "$dir/o.json" --endpoint file:///etc --endpoint-model m
refused 1 "no answer from" data rewrite --like "$dir/d.json" --out "$dir/o.json" --endpoint http://127.0.0.1:9/v1 --endpoint-model m --attempts 1
refused 2 "other settings" data instruct --like "$dir/d.json" --out "$dir/o.json" --endpoint http://127.0.0.1:9/v1 --endpoint-model other
OPENAI_API_KEY=secret refused 2 "in clear text" data rewrite --like "$dir/d.json" --out "$dir/p.json" --endpoint http://x.example/v1 --endpoint-model m
[ ! -e "$dir/o.json" ] && [ ! -e "$dir/x.png" ] || complain "something was written in spite of a failure"
exit $failed
