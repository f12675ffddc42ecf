#!/usr/bin/env bash
# paper_table.sh: the paper's comparison (arXiv:2311.05437, table 4) in miniature, on held-out scenes, with perfect and with
# imperfect skills: plain (no skill data), plain with tools in test only, fly, all tools, fly without thoughts. Every setting is
# trained by the same command from the same start, once a seed. Prints a table with means and 95 % confidence intervals
# (Student's t over the seeds). BASE: a model that copies words and knows no skill (`tools/nano/planner.sh copying` makes
# build/nano/copying); its picture rows learn their names first. WORK keeps what is made, and what is there is not made again.
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/${BUILD:-build/release}/src/cli/llava-plus
work=${WORK:-build/paper}
base=${BASE:-build/nano/copying/llava-plus-nano-v1}
seeds=${SEEDS:-1 2 3} steps=${STEPS:-600} count=${COUNT:-500} batch=${BATCH:-32}
mkdir -p "$work"
[ -e "$work/train/instances.json" ] || "$program" data scenes --count ${TRAIN:-8000} --seed 31 --out "$work/train"
[ -e "$work/test/instances.json" ] || "$program" data scenes --count "$count" --seed 32 --out "$work/test"

named=$work/named/llava-plus-nano-v1
[ -e "$named/model.safetensors" ] ||
    "$program" train --naming "$work/train" --model "$base" --out "$named" --train picture,projector --float32 --precision bf16 --optimizer muon \
        --batch 64 --rate 2e-3 --steps "${NAMING:-1200}"

records=$((steps * batch / 2))
make_data() { # name seed options...
    local out=$work/$1-$2.json
    [ -e "$out" ] || "$program" data instruct --scenes "$work/train" --count "$records" --seed "$2" --out "$out" "${@:3}" >&2
}

for seed in $seeds; do
    make_data chat "$seed" --skill see
    make_data chat-all "$seed" --skill see --tools all
    make_data chat-thoughtless "$seed" --skill see --no-thoughts
    make_data fly "$((100 + seed))" --chat-share 0
    make_data all "$((100 + seed))" --chat-share 0 --tools all
    make_data fly-thoughtless "$((100 + seed))" --chat-share 0 --no-thoughts
done

train() { # setting seed
    local out=$work/$1-$2/llava-plus-nano-v1 chat=$work/chat-$2.json skills=$((100 + $2)).json
    [ -e "$out/model.safetensors" ] && return
    case $1 in
    plain) skills= ;;
    fly) skills=,$work/fly-$skills ;;
    all) chat=$work/chat-all-$2.json skills=,$work/all-$skills ;;
    thoughtless) chat=$work/chat-thoughtless-$2.json skills=,$work/fly-thoughtless-$skills ;;
    esac
    "$program" train --data "$chat$skills" --images "$work/train" --model "$named" --out "$out" --seed "$2" \
        --precision bf16 --batch "$batch" --steps "$steps" --optimizer muon --rate 2e-3
}

score() { # setting model tools skills seed
    local json=$work/$1-$4-$5.score
    [ -e "$json" ] || "$program" eval scenes --scenes "$work/test" --model "$work/$2-$5/llava-plus-nano-v1" --tools "$3" \
        --skills "$4" --json "$json" >/dev/null
}

# One process a core: small models gain nothing from more threads.
cores=$(env -u OMP_NUM_THREADS nproc) # which heeds that variable
export OMP_NUM_THREADS=1
beside() { # command: starts it once a core is free
    [ "$(jobs -rp | wc -l)" -lt "$cores" ] || wait -n
    "$@" &
}
finish() {
    while [ -n "$(jobs -p)" ]; do wait -n; done
}

for seed in $seeds; do
    for setting in plain fly all thoughtless; do beside train "$setting" "$seed"; done
done
finish

rows='plain plain none perfect'
for skills in perfect imperfect; do
    rows+="
plain-tools-in-test plain all $skills
fly fly fly $skills
all-tools all all $skills
fly-without-thoughts thoughtless fly $skills"
done
while read -r row; do
    # shellcheck disable=SC2086
    for seed in $seeds; do beside score $row "$seed"; done
done <<<"$rows"
finish

tell() { # setting model tools skills
    for seed in $seeds; do
        local json=$work/$1-$4-$seed.score
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
# shellcheck disable=SC2086
while read -r row; do tell $row; done <<<"$rows"
