#!/usr/bin/env bash
# model_convert.sh SOURCE PROGRAM: model convert from the outside: what is written, and mistakes told in one sentence.
set -eu
. "$1/tests/cli/checks.sh"
golden=$source/tests/golden/torch dir=$work

says() { # FILE WORDS
    grep -qF -- "$2" "$1" || complain "not '$2' but: $(cat "$1")"
}

"$program" model --help | grep -q '^  convert ' || complain "model --help lacks convert"
"$program" model convert --help | grep -q -- '--shard-size MiB' || complain "convert --help lacks an option"
"$program" model convert "$golden/sharded" --out "$dir/new" >"$dir/said" 2>"$dir/told"
says "$dir/said" "6 tensors, 0.0 MB, in 1 file; 4 other files copied"
[ ! -s "$dir/told" ] || complain "it told: $(cat "$dir/told")"
[ "$(ls -A "$dir/new" | tr '\n' ' ')" = "README.md config.json merges.txt model.safetensors tokenizer.model " ] || complain "it wrote $(ls -A "$dir/new")"
cp "$dir/new/model.safetensors" "$dir/first"
"$program" model convert "$golden/nested.pth" --out "$dir/new" --force >/dev/null 2>"$dir/told"
says "$dir/told" "left out what is no tensor of the model: 'epoch', 'lr', 'best', 'names', 'optimizer'"
says "$dir/told" "'head.weight' is tied to 'embed.weight'"
cmp -s "$dir/new/model.safetensors" "$dir/first" && complain "--force replaced nothing"
"$program" model convert "$golden/ema.pth" --entry ema --out "$dir/ema" 2>/dev/null | grep -q ': 1 tensor, ' || complain "--entry"

refused 2 "perhaps you mean convert" model convret
refused 2 "--out DIR" model convert "$golden/tiny.bin"
refused 2 "--force" model convert "$golden/tiny.bin" --out "$dir/new"
refused 2 "--shard-size" model convert "$golden/tiny.bin" --out "$dir/x" --shard-size 0
refused 1 "'__main__.Tiny', which is no tensor" model convert "$golden/module.pt" --out "$dir/x"
refused 1 "an optimizer's state" model convert "$golden/optimizer.pt" --out "$dir/x"
refused 1 "no dictionary 'teacher'" model convert "$golden/ema.pth" --entry teacher --out "$dir/x"
refused 1 "cannot open" model convert "$dir/lost.pth" --out "$dir/x"
refused 1 "neither pytorch_model.bin nor" model convert "$dir" --out "$dir/x"
refused 1 "cannot make the folder" model convert "$golden/sharded" --out "$dir/first"
[ ! -e "$dir/x" ] || complain "something was written in spite of a failure"
exit $failed
