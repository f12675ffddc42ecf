#!/usr/bin/env bash
# model_convert.sh SOURCE PROGRAM: model convert from the outside: what is written, and mistakes told in one sentence.
set -eu
golden=$1/tests/golden/torch program=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# fails STATUS WORDS OPERANDS..: the command ends with STATUS and one line on standard error that holds WORDS.
fails() {
    local want=$1 words=$2 status=0
    shift 2
    "$program" model "$@" >"$dir/stdout" 2>"$dir/stderr" || status=$?
    if [ "$status" != "$want" ] || [ "$(wc -l <"$dir/stderr")" != 1 ] || ! grep -qF -- "$words" "$dir/stderr" || [ -s "$dir/stdout" ]; then
        echo "model $*: status $status, not $want, or not '$words':"; cat "$dir/stderr"
        bad=1
    fi
}

says() { # FILE WORDS
    grep -qF -- "$2" "$1" || { echo "not '$2' but:"; cat "$1"; bad=1; }
}

"$program" model --help | grep -q '^  convert ' || { echo "model --help lacks convert"; bad=1; }
"$program" model convert --help | grep -q -- '--shard-size MiB' || { echo "convert --help lacks an option"; bad=1; }
"$program" model convert "$golden/sharded" --out "$dir/new" >"$dir/said" 2>"$dir/told"
says "$dir/said" "6 tensors, 0.0 MB, in 1 file; 4 other files copied"
[ ! -s "$dir/told" ] || { echo "it told:"; cat "$dir/told"; bad=1; }
[ "$(ls -A "$dir/new" | tr '\n' ' ')" = "README.md config.json merges.txt model.safetensors tokenizer.model " ] || { ls -A "$dir/new"; bad=1; }
cp "$dir/new/model.safetensors" "$dir/first"
"$program" model convert "$golden/nested.pth" --out "$dir/new" --force >/dev/null 2>"$dir/told"
says "$dir/told" "left out what is no tensor of the model: 'epoch', 'lr', 'best', 'names', 'optimizer'"
says "$dir/told" "'head.weight' is tied to 'embed.weight'"
cmp -s "$dir/new/model.safetensors" "$dir/first" && { echo "--force replaced nothing"; bad=1; }
"$program" model convert "$golden/ema.pth" --entry ema --out "$dir/ema" 2>/dev/null | grep -q ': 1 tensor, ' || { echo "--entry"; bad=1; }

fails 2 "perhaps you mean convert" convret
fails 2 "--out DIR" convert "$golden/tiny.bin"
fails 2 "--force" convert "$golden/tiny.bin" --out "$dir/new"
fails 2 "--shard-size" convert "$golden/tiny.bin" --out "$dir/x" --shard-size 0
fails 1 "'__main__.Tiny', which is no tensor" convert "$golden/module.pt" --out "$dir/x"
fails 1 "an optimizer's state" convert "$golden/optimizer.pt" --out "$dir/x"
fails 1 "no dictionary 'teacher'" convert "$golden/ema.pth" --entry teacher --out "$dir/x"
fails 1 "cannot open" convert "$dir/lost.pth" --out "$dir/x"
fails 1 "neither pytorch_model.bin nor" convert "$dir" --out "$dir/x"
fails 1 "cannot make the folder" convert "$golden/sharded" --out "$dir/first"
[ ! -e "$dir/x" ] || { echo "something was written in spite of a failure"; bad=1; }
exit $bad
