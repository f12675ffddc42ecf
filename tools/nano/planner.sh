#!/usr/bin/env bash
# planner.sh: makes models/llava-plus-nano-v1 from nothing, with the program's own commands: scenes, dialogues, a tokenizer, and
# many schools: copying words, plans from words alone, picture rows that name what they show, plans and short questions
# about pictures, more plans from words, whole dialogues; then, three times, names in other scenes and everything together;
# mostly words; from the mean of the last two a long school of plans from words, and a short one of everything. Their mean gets
# more pixels and layers; its picture encoder learns names and its language model plans side by side, then both everything
# together, and all of that twice more. A last school teaches answers that tell what was found; a mean of it and of what was there before
# is the planner. Needs a release build, fonts-noto-color-emoji for the scenes, and Debian's packages
# `sentencepiece` for the tokenizer and `python3-numpy`; with Open MPI the cores train as two ranks, which is faster. Stopped at any
# moment it goes on from its checkpoints. WORK keeps what it makes. Usage: planner.sh [the name of the school after which to stop]
set -eu
cd "$(dirname "$0")/../.."
program=$PWD/build/release/src/cli/llava-plus
here=$PWD/tools/nano/planner
last=${1:-}
work=${WORK:-build/nano}
name=llava-plus-nano-v1 # chooses the template
new=$work/new/$name
mkdir -p "$new"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

learn() { # school it follows, school, options of train
    set -- --model "$work/$1/$name" --out "$work/$2/$name" --optimizer muon "${@:3}"
    if command -v mpirun >/dev/null; then
        OMP_NUM_THREADS=1 mpirun --bind-to none -n 2 "$program" train "$@"
    else
        OMP_WAIT_POLICY=active OMP_PROC_BIND=true "$program" train "$@"
    fi
}

step() { # what, file that is there when it is done, command: done once
    [ -e "$2" ] && return
    echo "$1"
    "${@:3}"
}

scenes() { # what for, folder, count, seed, options: the dialogues after it are about these
    step "1. Scenes$1" "$work/$2/instances.json" "$program" data scenes --count "$3" --seed "$4" --out "$work/$2" "${@:5}"
    pictures=$2
}

dialogues() { # what, name of the file, options of data instruct
    step "$1" "$work/$2.json" "$program" data instruct --scenes "$work/$pictures" --out "$work/$2.json" "${@:3}"
}

# what for, suffix of the files' names; count:seed of plans from words, plans with pictures, questions, chat, dialogues, reading
everything() {
    dialogues "$1: plans to be learnt from words" "spoken$2" --count "${3%:*}" --chat-share 0 --turns 2 --seed "${3#*:}"
    dialogues "   plans with pictures" "shown$2" --count "${4%:*}" --chat-share 0 --turns 2 --seed "${4#*:}"
    dialogues "   short questions" "asked$2" --skill see --no-thoughts --count "${5%:*}" --seed "${5#*:}"
    dialogues "   visual chat" "chatted$2" --skill see --count "${6%:*}" --seed "${6#*:}"
    dialogues "   whole dialogues" "talks$2" --count "${7%:*}" --chat-share 10 --seed "${7#*:}"
    dialogues "   whole dialogues about what is written" "reading$2" --skill ocr --count "${8%:*}" --seed "${8#*:}"
}

with_pictures() { # suffix: the files of everything but the words
    echo "$work/shown$1.json,$work/asked$1.json,$work/chatted$1.json,$work/talks$1.json,$work/reading$1.json"
}

school() { # what it teaches, school it follows, school, options of train
    step "4. School: $1" "$work/$3/$name/model.safetensors" learn "${@:2}"
    if [ "$3" = "$last" ]; then exit; fi
}

mean() { # one school, another, folder of the mean of their weights, in bfloat16
    mkdir -p "$3"
    cp "$work/$2/$name"/{tokenizer.model,config.json,preprocessor_config.json} "$3/"
    sed -i 's/"torch_dtype": "float32"/"torch_dtype": "bfloat16"/' "$3/config.json"
    tools/nano/mean.py "$work/$1/$name/model.safetensors" "$work/$2/$name/model.safetensors" "$3/model.safetensors"
}

# What the tokenizer must know as single words: all names, in both numbers, more often than any text would.
name_text() {
    awk -F' *[|] *' '!/^#/ && NF == 4 {
        split($2, form, "~"); many = form[2] ? form[2] : form[1] (form[1] ~ /(s|x|ch|sh)$/ ? "es" : "s")
        if (!form[2] && form[1] ~ /[^aeiou]y$/) many = substr(form[1], 1, length(form[1]) - 1) "ies"
        for (i = 0; i < 150; i++) print "a " form[1] " and the " form[1] "\ntwo " many
        n = split($3, word, ", *")
        for (k = 1; k <= n; k++) for (i = 0; i < 40; i++) print "the " word[k]
    }' data/scenes/stickers.txt
    for word in circle square triangle star heart diamond hexagon cross hoop red orange yellow green blue purple pink brown \
        black white gray beach meadow snow sea desert street night sunset room kitchen table wall forest sky one two three \
        four five six yes no Yes No left right above below behind front; do
        for _ in $(seq 300); do echo "$word the $word"; done
    done
}

# Spaces are tokens of their own, so that a word is the same token in a question, between quotes and in a picture's row; what
# many dialogues have in common is one token a phrase.
tokenizer() {
    local phrases
    "$program" train --words "$work/plans.json" --write-text "$work/said"
    phrases=$({ echo ' '; cat "$here/phrases.txt"; tools/nano/phrases.py data/thoughts "$work/said"; } | awk '!seen[$0]++' | sed 's/ /▁/g; s/"/""/g; s/.*/"&"/' | paste -sd,)
    "$program" train --data "$work/dialogues.json" --images "$work/scenes" --write-text "$work/text"
    name_text >> "$work/text"
    spm_train --input="$work/text" --model_prefix="$work/tokenizer" --vocab_size=5843 --model_type=bpe --byte_fallback=true \
        --split_digits=true --normalization_rule_name=identity --remove_extra_whitespaces=false \
        --allow_whitespace_only_pieces=true --character_coverage=1.0 --input_sentence_size=400000 \
        --shuffle_input_sentence=true --max_sentence_length=8192 --num_threads=2 --minloglevel=1 \
        --user_defined_symbols="$phrases"
    cp "$work/tokenizer.model" "$here"/*.json "$new"
}

scenes "" scenes 40000 1
dialogues "2. Dialogues: plans alone" plans --count 50000 --chat-share 0 --turns 2 --seed 21
dialogues "   whole dialogues" dialogues --count 9000 --chat-share 10 --seed 23
step "3. A tokenizer as LLaMA's: byte-pair encoding with byte fallback, digits apart" "$new/tokenizer.model" tokenizer
dialogues "   words to be said again" repeat --skill repeat --count 20000 --seed 5
school copying new copying --float32 --data "$work/repeat.json" --batch 64 --rate 3e-3 --steps 300
school "plans from words alone" copying words --float32 \
    --words "$work/plans.json,$work/repeat.json" --batch 64 --rate 3e-3 --steps 1300
school naming words named --float32 --naming "$work/scenes" --train picture,projector --batch 64 --rate 2e-3 --steps 1800
dialogues "   short questions about pictures, answered without thoughts" glance --skill see --no-thoughts --count 40000 --seed 52
school "plans and short questions" named short --float32 --train projector,language --naming "$work/scenes" --images "$work/scenes" \
    --data "$work/plans.json,$work/glance.json,$work/repeat.json" --batch 48 --rate 3e-3 --steps 2200
dialogues "   more plans" more --count 100000 --chat-share 0 --turns 2 --seed 22
school "more plans from words alone" short more --float32 --train language \
    --words "$work/more.json,$work/repeat.json" --batch 64 --rate 3e-3 --steps 1350
dialogues "   visual chat" see --skill see --count 25000 --seed 12
dialogues "   and more" last --count 60000 --chat-share 0 --turns 2 --seed 24
school "whole dialogues" more whole --float32 --train projector,language --naming "$work/scenes" --images "$work/scenes" \
    --data "$work/last.json,$work/see.json,$work/dialogues.json" --batch 48 --rate 2e-3 --steps 1150

scenes ": others" scenes2 40000 2
school "naming words, in other scenes" whole sharper --precision bf16 --naming "$work/scenes2" --train picture,projector \
    --batch 64 --rate 2e-3 --steps 2000
pictures=scenes
everything "   to know everything together" "" 60000:32 12000:34 25000:37 8000:36 6000:38 2000:39
school "everything together" sharper all --precision bf16 --train projector,language --images "$work/scenes" \
    --words "$work/spoken.json" --batch 48 --rate 2e-3 --steps 2350 \
    --data "$(with_pictures '')"
scenes ": and others" scenes3 40000 3
school "naming words, in other scenes again" all sharpest --precision bf16 --naming "$work/scenes3" --train picture,projector \
    --batch 64 --rate 2e-3 --steps 2200
everything "   for the school after" "_again" 45000:62 9000:64 20000:67 4500:66 4000:68 1500:69
dialogues "   words to be said again" repeat_again --skill repeat --count 4000 --seed 65
school "everything together again" sharpest whole_again --precision bf16 --train projector,language --images "$work/scenes3" \
    --words "$work/spoken_again.json,$work/repeat_again.json" --batch 48 --rate 2e-3 --steps 1750 \
    --data "$(with_pictures _again)"
scenes ": and others again" scenes4 40000 4
school "naming words, in other scenes once more" whole_again clearest --precision bf16 --naming "$work/scenes4" \
    --train picture,projector --batch 64 --rate 2e-3 --steps 3200
everything "   for the one after that" "_last" 52000:72 9000:74 18000:77 4000:76 3500:78 1200:79
dialogues "   words to be said again" repeat_last --skill repeat --count 8000 --seed 75
school "everything together, the picture encoder too" clearest whole_last --precision bf16 --naming "$work/scenes4" \
    --train picture,projector,language --images "$work/scenes4" --words "$work/spoken_last.json,$work/repeat_last.json" \
    --batch 48 --rate 2e-3 --steps 1800 \
    --data "$(with_pictures _last)"
everything "   and for the language model alone" "_more" 38000:82 3500:84 3000:87 700:86 600:88 250:89
school "mostly words" whole_last worded --precision bf16 --train language --images "$work/scenes4" \
    --words "$work/spoken_more.json" --batch 64 --rate 1.5e-3 --steps 700 \
    --data "$(with_pictures _more)"

mean whole_last worded "$work/mean/$name"
scenes ": fewer, for the long school" scenes5 12000 41
everything "   for the long school" "_long" 240000:401 5500:403 5000:404 1100:405 1000:406 400:407
dialogues "   words to be said again" repeat_long --skill repeat --count 14000 --seed 402
school "plans from words, for long" mean long --float32 --train language --images "$work/scenes5" \
    --words "$work/spoken_long.json,$work/repeat_long.json" --batch 64 --rate 2.5e-3 --warm-up 0.02 --steps 4800 --seed 7 \
    --data "$(with_pictures _long)"
scenes ": for the one after that" scenes6 20000 7001
everything "   for the school after it" "_end" 24000:501 4000:503 11000:504 2500:505 2500:506 1500:507
school "everything together once more" long end --float32 --train projector,language --images "$work/scenes6" \
    --words "$work/spoken_end.json" --batch 48 --rate 1.5e-3 --steps 600 --seed 9 \
    --data "$(with_pictures _end)"
mean long end "$work/seen/$name"

# From here on 192 pixels a side instead of 128, 8 layers of the picture encoder instead of 6, 6 of the language model instead of 4.
[ -e "$work/larger/$name" ] ||
    tools/nano/enlarge.py "$work/seen/$name" "$work/larger/$name" --side 192 --picture-layers 8 --language-layers 6
scenes ": for seeing more" scenes7 40000 11
school "naming words, with more pixels" larger sharp --float32 --precision bf16 --naming "$work/scenes7" \
    --train picture,projector --batch 64 --rate 2e-3 --steps 1100 --seed 21
dialogues "   for more layers" spoken_deep --count 180000 --chat-share 0 --turns 2 --seed 602
dialogues "   words to be said again" repeat_deep --skill repeat --count 8000 --seed 603
school "plans from words, with more layers" larger deep --float32 --precision bf16 --train language \
    --words "$work/spoken_deep.json,$work/repeat_deep.json" --batch 64 --rate 2.5e-3 --warm-up 0.02 --steps 2500 --seed 22
[ -e "$work/joined/$name" ] || tools/nano/join.py "$work/deep/$name" "$work/sharp/$name" "$work/joined/$name"
scenes ": for the school after it" scenes8 20000 12
everything "   for the school of all of that" "_large" 28000:701 5000:703 19000:704 4000:705 4000:706 1500:707
school "everything together, with all of that" joined large --float32 --precision bf16 --train projector,language --images "$work/scenes8" \
    --words "$work/spoken_large.json" --batch 48 --rate 2e-3 --steps 1000 --seed 23 \
    --data "$(with_pictures _large)"
scenes ": and once more for both" scenes9 40000 13
school "naming words, longer" large sharper_still --float32 --precision bf16 --naming "$work/scenes9" \
    --train picture,projector --batch 64 --rate 2e-3 --steps 1300 --seed 31
pictures=scenes8
dialogues "   for words without some of them" spoken_hidden --count 180000 --chat-share 0 --turns 2 --seed 802
dialogues "   words to be said again" repeat_hidden --skill repeat --count 8000 --seed 803
school "plans from words of which some are hidden" large hidden --float32 --precision bf16 --train language \
    --words "$work/spoken_hidden.json,$work/repeat_hidden.json" --hide 0.2 --batch 64 --rate 2.5e-3 --warm-up 0.02 --steps 2600 --seed 32
[ -e "$work/rejoined/$name" ] || tools/nano/join.py "$work/hidden/$name" "$work/sharper_still/$name" "$work/rejoined/$name"
pictures=scenes9
everything "   for the last school" "_last_of_all" 26000:811 4500:813 22000:814 3500:815 4000:816 1500:817
dialogues "   what needs no skill" none_last_of_all --skill none --count 9000 --turns 2 --seed 818
school "everything together, for the last time" rejoined last_of_all --float32 --precision bf16 --train projector,language \
    --images "$work/scenes9" --words "$work/spoken_last_of_all.json,$work/none_last_of_all.json" --hide 0.1 \
    --batch 48 --rate 2e-3 --steps 950 --seed 33 \
    --data "$(with_pictures _last_of_all)"

mean large last_of_all "$work/clear/$name"

# More ways in which people ask, and pages of many lines.
scenes ": printed pages" pages 3000 51 --pages 100
dialogues "   about them" printed_people --skill ocr --count 4000 --seed 914
dialogues "   and fewer" printed_page --skill ocr --count 1500 --seed 924
pictures=scenes
everything "   for the ways in which people ask" "_people" 120000:911 5000:905 7000:906 1500:907 1500:908 600:909
dialogues "   what needs no skill" none_people --skill none --count 9000 --turns 2 --seed 912
dialogues "   words to be said again" repeat_people --skill repeat --count 5000 --seed 913
everything "   for everything with it" "_page" 26000:921 6000:915 20000:916 3500:917 4000:918 1500:919
dialogues "   what needs no skill" none_page --skill none --count 6000 --turns 2 --seed 922
school "naming words, still longer" clear sharpest_yet --float32 --precision bf16 --naming "$work/scenes" \
    --train picture,projector --batch 64 --rate 2e-3 --warm-up 0.02 --steps 900 --seed 51
school "the ways in which people ask" clear people --float32 --precision bf16 --train language --images "$work/scenes,$work/pages" \
    --words "$work/spoken_people.json,$work/none_people.json,$work/repeat_people.json,$work/printed_people.json" --hide 0.1 \
    --batch 64 --rate 2e-3 --warm-up 0.02 --steps 1000 --seed 61 \
    --data "$(with_pictures _people)"
[ -e "$work/joined_again/$name" ] || tools/nano/join.py "$work/people/$name" "$work/sharpest_yet/$name" "$work/joined_again/$name"
school "everything with pages" joined_again page --float32 --precision bf16 --train projector,language \
    --images "$work/scenes,$work/pages" --words "$work/spoken_page.json,$work/none_page.json,$work/printed_page.json" --hide 0.1 \
    --batch 48 --rate 2e-3 --steps 700 --seed 71 \
    --data "$(with_pictures _page)"

mean clear page "$work/paged/$name"

# Answers that tell what was found.
pictures=scenes6
dialogues "   what a detector found, told" found --skill detect --turns 4 --chat-share 0 --perfect --count 14000 --seed 1001
dialogues "   and what it found in part" found_partly --skill detect --turns 4 --chat-share 0 --count 5000 --seed 1002
dialogues "   what was cut out" cut --skill segment_instances --turns 4 --chat-share 0 --count 4000 --seed 1003
dialogues "   answers about all results" answered --turns 4 --chat-share 0 --count 12000 --seed 1004
dialogues "   what needs no skill" none_told --skill none --turns 2 --count 5000 --seed 1006
dialogues "   words to be said again" repeat_told --skill repeat --count 3000 --seed 1007
everything "   for everything with it" "_told" 16000:1005 4000:1008 14000:1009 2500:1010 3000:1011 1000:1012
dialogues "   what a detector found in pictures that are seen" found_shown --skill detect --turns 4 --chat-share 0 --perfect --count 2000 --seed 1013
school "answers that tell what was found" paged told --float32 --train projector,language --images "$work/scenes6" \
    --words "$work/found.json,$work/found_partly.json,$work/cut.json,$work/answered.json,$work/spoken_told.json,$work/none_told.json,$work/repeat_told.json" \
    --batch 48 --rate 1.5e-3 --warm-up 0.02 --steps 1300 --seed 81 \
    --data "$(with_pictures _told),$work/found_shown.json"
mean paged told "$work/half_told/$name"
mean told half_told "models/$name" # three quarters of the last, which answers best; the planner before it plans best
ls -l "models/$name"
