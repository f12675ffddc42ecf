#!/usr/bin/env bash
# paper_table.sh: the paper's comparison (arXiv:2311.05437, table 4) in miniature, on held-out scenes, with perfect and with
# imperfect skills: plain (no skill data), plain with tools in test only, fly, all tools, fly without thoughts. Every setting is
# trained by the same command from the same start, once a seed. Prints a table with means and 95 % confidence intervals
# (Student's t over the seeds). BASE: a model that copies words and knows no skill (tools/nano/planner.sh makes
# build/nano/copying); its picture rows learn their names first. WORK keeps what is made, and what is there is not made again.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/${BUILD:-build/release}/src/cli/llava-plus
work=${WORK:-build/paper}
base=${BASE:-build/nano/copying/llava-plus-nano-v1}
seeds=${SEEDS:-1 2 3} steps=${STEPS:-600} count=${COUNT:-500} batch=${BATCH:-32}
mkdir -p "$work"
[ -e "$work/train/instances.json" ] || "$program" data scenes --count 8000 --seed 31 --out "$work/train"
[ -e "$work/test/instances.json" ] || "$program" data scenes --count "$count" --seed 32 --out "$work/test"

named=$work/named/llava-plus-nano-v1
[ -e "$named/model.safetensors" ] ||
    "$program" train --naming "$work/train" --model "$base" --out "$named" --train picture,projector --float32 --optimizer muon \
        --batch 64 --rate 2e-3 --steps "${NAMING:-1200}"

records=$((steps * batch / 2))
make_data() { # name seed options...
    local out=$work/$1-$2.json
    [ -e "$out" ] || "$program" data instruct --scenes "$work/train" --count "$records" --seed "$2" --out "$out" "${@:3}" >&2
    echo "$out"
}

train() { # setting seed
    local out=$work/$1-$2/llava-plus-nano-v1 chat skills=
    [ -e "$out/model.safetensors" ] && return
    chat=$(make_data chat "$2" --skill see)
    case $1 in
    fly) skills=$(make_data fly "$((100 + $2))" --chat-share 0) ;;
    all) skills=$(make_data all "$((100 + $2))" --chat-share 0 --tools all) ;;
    thoughtless) chat=$(make_data chat-thoughtless "$2" --skill see --no-thoughts)
        skills=$(make_data fly-thoughtless "$((100 + $2))" --chat-share 0 --no-thoughts) ;;
    esac
    "$program" train --data "$chat${skills:+,$skills}" --images "$work/train" --model "$named" --out "$out" --seed "$2" \
        --batch "$batch" --steps "$steps" --optimizer muon --rate 2e-3
}

measure() { # setting model tools skills
    local json
    for seed in $seeds; do
        train "$2" "$seed"
        json=$work/$1-$4-$seed.score
        [ -e "$json" ] || "$program" eval scenes --scenes "$work/test" --model "$work/$2-$seed/llava-plus-nano-v1" --tools "$3" \
            --skills "$4" --json "$json" >/dev/null
        tr -d ' \n' < "$json" | sed 's/.*"presence":{[^}]*"rate":\([0-9.e-]*\).*/\1 /' | tr -d '\n'
        for kind in count color relation; do
            tr -d ' \n' < "$json" | sed "s/.*\"$kind\":{[^}]*\"rate\":\([0-9.e-]*\).*/\1 /" | tr -d '\n'
        done
        tr -d ' \n' < "$json" | sed 's/.*"named":\([0-9.e-]*\).*"wrong":\([0-9.e-]*\).*/\1 \2\n/'
    done | awk -v name="$1" -v skills="$4" '
        { for (i = 1; i <= NF; i++) { sum[i] += $i; squares[i] += $i * $i } n++ }
        END {
            t = n == 2 ? 12.71 : n == 3 ? 4.303 : n == 4 ? 3.182 : n == 5 ? 2.776 : 2
            printf "| %s | %s |", name, skills
            for (i = 1; i <= 6; i++) {
                mean = sum[i] / n; variance = n > 1 ? (squares[i] - n * mean * mean) / (n - 1) : 0
                printf " %.1f ± %.1f |", 100 * mean, 100 * t * sqrt((variance > 0 ? variance : 0) / n)
            }
            print ""
        }'
}

echo "| setting | skills | presence | count | colour | relation | caption names | caption wrong |"
echo "|---|---|---|---|---|---|---|---|"
measure plain plain none perfect
for skills in perfect imperfect; do
    measure plain-tools-in-test plain all $skills
    measure fly fly fly $skills
    measure all-tools all all $skills
    measure fly-without-thoughts thoughtless fly $skills
done
