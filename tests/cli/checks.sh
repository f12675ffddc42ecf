# shellcheck shell=bash
# checks.sh: what the tests of commands share; sourced by scripts that are called with the source's folder and the program. The
# folder $work is theirs while they run; $failed ends as 1 where a check did.
source=$1 program=$2
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

complain() {
    echo "FAILED: $1"
    failed=1
}

# overlap A B: two boxes "x0 y0 x1 y1" share more than 0.7 of their union
overlap() {
    echo "$1 $2" | awk '
        function common(a, b, c, d) { return (b < d ? b : d) - (a > c ? a : c) }
        { both = common($1, $3, $5, $7) * common($2, $4, $6, $8)
          exit !(NF == 8 && both > 0.7 * (($3 - $1) * ($4 - $2) + ($7 - $5) * ($8 - $6) - both)) }'
}

# refused STATUS WORDS ARGUMENTS..: the program ends with STATUS, prints nothing, and says the words in one line on standard error
refused() {
    local status=$1 words=$2
    shift 2
    local got=0
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null || got=$?
    [ $got = "$status" ] || complain "$* ended with $got instead of $status"
    [ ! -s "$work/out" ] || complain "$* printed something"
    [ "$(wc -l <"$work/err")" = 1 ] || complain "$* did not explain itself in one line: $(cat "$work/err")"
    grep -qF -- "$words" "$work/err" || complain "$* does not say '$words': $(cat "$work/err")"
}

# expect STATUS WORDS ARGUMENTS..: `eval` ends with STATUS, and the words stand in its output
expect() {
    local status=$1 words=$2
    shift 2
    local got=0
    "$program" eval "$@" >"$work/out" 2>&1 || got=$?
    if [ "$got" != "$status" ] || ! grep -qF -- "$words" "$work/out"; then
        complain "eval $*: exit $got, expected $status and '$words': $(cat "$work/out")"
    fi
}
