#!/usr/bin/env bash
# run.sh PROGRAM [PATTERN]: what the program does with bad input. Each case says the arguments, the exit status (1 failed,
# 2 wrong usage) and what the one line on standard error must name. Nothing may come on standard output, no file may be
# left behind, no sanitizer may speak. The bad files are made here. PATTERN runs only the cases whose names match.
set -u
export LC_ALL=C
program=$(realpath "$1") only=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
golden=$here/../../golden/llava_mlp
sign=$here/../../../examples/sign.jpg
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
seconds=10 # of processor time: a loaded machine must not fail the test
count=0 failed=0

# bad NAME STATUS NEEDLE ARGUMENT...: standard input is $stdin. The needle is a fixed text.
stdin=/dev/null
bad() {
    local name=$1 status=$2 needle=$3 got fault=
    shift 3
    [[ $name == *"$only"* ]] || return 0
    count=$((count + 1))
    (cd "$tmp/in" && find . | sort) > "$tmp/before"
    (
        cd "$tmp/in" || exit 99
        ulimit -t $seconds -c 0
        timeout -k 5 120 "$program" "$@" < "$stdin" > "$tmp/out" 2> "$tmp/err"
    )
    got=$?
    (cd "$tmp/in" && find . | sort) > "$tmp/after"
    [ $got -eq "$status" ] || fault="exit status $got, not $status"
    [ "$(wc -l < "$tmp/err")" -eq 1 ] || fault+="; $(wc -l < "$tmp/err") lines on standard error"
    grep -qF -e "$needle" "$tmp/err" || fault+="; '$needle' is not named"
    [ ! -s "$tmp/out" ] || fault+="; something on standard output"
    cmp -s "$tmp/before" "$tmp/after" || fault+="; files left: $(comm -13 "$tmp/before" "$tmp/after" | tr '\n' ' ')"
    if [ -n "$fault" ]; then
        failed=$((failed + 1))
        printf 'FAILED %s: %s\n' "$name" "$fault"
        head -c 1500 "$tmp/err" | sed 's/^/    /'
    elif [ -n "${VERBOSE:-}" ]; then
        printf 'ok %s: %s\n' "$name" "$(cut -c1-200 "$tmp/err")"
    fi
}

mkdir "$tmp/in"
cd "$tmp/in" || exit 1
for part in pictures models batch train usage; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done
printf '%d cases of bad input, %d failed\n' $count $failed
[ $failed -eq 0 ] && { [ -n "$only" ] || [ $count -ge 45 ]; }
