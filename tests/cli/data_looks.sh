#!/usr/bin/env bash
# data_looks.sh SOURCE PROGRAM: data show, data stats and data rewrite from the outside: files come, mistakes are told in one sentence.
set -eu
tests=$1/tests program=$2
unset OPENAI_API_KEY
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# fails STATUS WORDS COMMAND..: the command ends with STATUS and one line on standard error that holds WORDS.
fails() {
    local want=$1 words=$2 status=0
    shift 2
    "$program" data "$@" >"$dir/stdout" 2>"$dir/stderr" || status=$?
    if [ "$status" != "$want" ] || [ "$(wc -l <"$dir/stderr")" != 1 ] || ! grep -qF -- "$words" "$dir/stderr" || [ -s "$dir/stdout" ]; then
        echo "data $*: status $status, not $want, or not '$words':"; cat "$dir/stderr"
        bad=1
    fi
}

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
    [ -s "$dir/$file" ] || { echo "no $file"; bad=1; }
done
[ "$(ls "$dir/pages" | wc -l)" = 2 ] || { echo "more pages than pictures"; bad=1; }
"$program" data stats "$dir/d.json" "$dir/d.json" --out "$dir/bars.png" | grep -q '^detect  *2 ' || { echo "stats count wrongly"; bad=1; }
[ -s "$dir/bars.png" ] || { echo "no bars"; bad=1; }

fails 2 "--scenes DIR or --data FILE" show --out "$dir/x.png"
fails 2 "there is no picture 99" show --scenes "$tests/data/scenes" --number 99 --out "$dir/x.png"
fails 2 "has no record 7" show --data "$dir/d.json" --number 7 --out "$dir/x.png"
fails 1 "000000.jpg" show --data "$dir/d.json" --images "$dir" --out "$dir/x.png"
fails 1 "instances.json" show --scenes "$dir" --out "$dir/x.png"
fails 1 "cannot open" stats "$dir/lost.json"
fails 1 "JSON array" stats "$tests/data/scenes/instances.json"
fails 2 "--endpoint URL" rewrite --like "$dir/d.json" --out "$dir/o.json"
fails 2 "--like FILE" rewrite --out "$dir/o.json"
fails 2 "it must be https" rewrite --like "$dir/d.json" --out "$dir/o.json" --endpoint file:///etc --endpoint-model m
fails 1 "no answer from" rewrite --like "$dir/d.json" --out "$dir/o.json" --endpoint http://127.0.0.1:9/v1 --endpoint-model m --attempts 1
fails 2 "other settings" instruct --like "$dir/d.json" --out "$dir/o.json" --endpoint http://127.0.0.1:9/v1 --endpoint-model other
OPENAI_API_KEY=secret fails 2 "in clear text" rewrite --like "$dir/d.json" --out "$dir/p.json" --endpoint http://x.example/v1 --endpoint-model m
[ ! -e "$dir/o.json" ] && [ ! -e "$dir/x.png" ] || { echo "something was written in spite of a failure"; bad=1; }
exit $bad
