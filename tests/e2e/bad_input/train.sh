# shellcheck shell=bash
# Data, models and places for `train`; grammars for `data`. Read by run.sh.
spoil learner 's/"vocab_size": 64/"vocab_size": 4096/'
rm learner/model.safetensors
cp "$here/../../golden/tokenizer/tokenizer.model" learner
model speechless # its tokenizer lacks most letters
scenes=$here/../../data/scenes
talk='{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}'

# data NAME NEEDLE JSON: a data file to learn from.
data() {
    printf '%s' "$3" > "data.$1"
    bad "train $1" 1 "$2" train --data "data.$1" --images . --model learner --out school
}
data words data.words 'not json'
data object data.object '{"a": 1}'
data no_talk 'record 1' '[{"id": 1}]'
data one_turn 'record 1' '[{"conversations": [{"from": "human", "value": "a"}]}]'
data turn_kind 'record 1' '[{"conversations": ["a", "b"]}]'
data two_humans 'record 1' '[{"conversations": [{"from": "human", "value": "a"}, {"from": "human", "value": "b"}]}]'
data value_kind 'value' '[{"conversations": [{"from": "human", "value": 1}, {"from": "gpt", "value": "b"}]}]'
data second 'record 2' "[{\"conversations\": [{\"from\": \"human\", \"value\": \"a\"}, {\"from\": \"gpt\", \"value\": \"a\"}]}, 7]"
data up '../secret.jpg' "[{\"image\": \"../secret.jpg\", \"conversations\": [$talk]}]"
data absolute '/etc/passwd' "[{\"image\": \"/etc/passwd\", \"conversations\": [$talk]}]"
data picture_missing 'missing.jpg' "[{\"image\": \"missing.jpg\", \"conversations\": [$talk]}]"
data none 'no dialogue' '[]'
data none_line 'line 3: record 2' "[{\"conversations\": [$talk]},

{\"conversations\": 1}]"
data image_kind 'line 1: record 1' "[{\"image\": 5, \"conversations\": [$talk]}]"
data mark_alone 'names none' '[{"conversations": [{"from": "human", "value": "<image>a"}, {"from": "gpt", "value": "b"}]}]'
data no_value "turn 2: it has no 'value'" '[{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt"}]}]'
data plan_kind "'actions' are no list" '[{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", "actions": "c"}]}]'
data cut 'breaks off' "[{\"conversations\": [$talk]},"
data utf8 'not JSON' "$(printf '[{"id": "\377"}]')"
head -c 200 "$sign" > cut.jpg
cp text.jpg not.jpg
data picture_cut 'data.picture_cut, line 2:' "[{\"conversations\": [$talk]},
{\"image\": \"cut.jpg\", \"conversations\": [$talk]}]"
data picture_none 'not.jpg' "[{\"image\": \"not.jpg\", \"conversations\": [$talk]}]"
data picture_folder 'folder' "[{\"image\": \"learner\", \"conversations\": [$talk]}]"
printf '[{"conversations": [%s]}]' "$talk" > data.good
bad 'train, tokenizer without letters' 1 tokenizer train --data data.good --model speechless --out school
bad 'train, data missing' 1 data.missing train --data data.missing --model learner --out school
bad 'train, model missing' 1 nowhere train --data data.good --model nowhere --out school
bad 'train, model cut' 1 weights_cut train --data data.good --model weights_cut --out school
bad 'train, out is a file' 1 text.jpg train --data data.good --model learner --out text.jpg
bad 'train, out below a file' 1 text.jpg train --data data.good --model learner --out text.jpg/school
bad 'train, out cannot be made' 1 /proc/school train --data data.good --model learner --out /proc/school
bad 'train, text to nowhere' 1 nowhere/text train --data data.good --write-text nowhere/text
bad 'train, nothing to measure with' 1 data.none train --data data.good --eval data.none --model learner --out school
bad 'train, measuring data missing' 1 nowhere.json train --data data.good --eval nowhere.json --model learner --out school
bad 'train, no batch a step' 2 --accumulate train --data data.good --model learner --out school --accumulate 0
bad 'train without data' 2 --data train --model learner --out school
bad 'train without out' 2 --out train --data data.good --model learner
bad 'train, unknown part' 2 eyes train --data data.good --model learner --out school --train language,eyes
bad 'train, no part' 2 --train train --data data.good --model learner --out school --train ''
bad 'train, negative batch' 2 --batch train --data data.good --model learner --out school --batch -1
bad 'train, rate in words' 2 --rate train --data data.good --model learner --out school --rate fast
mkdir old
cp "$golden/model.safetensors" old/checkpoint.safetensors
bad "train, another model's checkpoint" 1 old/checkpoint.safetensors train --data data.good --model learner --out old
cp weights_head/model.safetensors old/checkpoint.safetensors
bad 'train, half a checkpoint' 1 old/checkpoint.safetensors train --data data.good --model learner --out old
mkdir grammar
bad 'data, empty grammar' 1 grammar data instruct --scenes "$scenes" --out made.json --grammar grammar
bad 'data, place that is none' 1 nowhere/made.json data instruct --scenes "$scenes" --count 1 --out nowhere/made.json
bad 'data, unknown skill' 2 juggle data instruct --scenes "$scenes" --count 1 --out made.json --skill juggle
bad 'data without out' 2 --out data instruct --scenes "$scenes"
bad 'data without scenes' 2 --scenes data instruct --out made.json
bad 'data, no scenes there' 1 nowhere data instruct --scenes nowhere --out made.json
bad 'data, tools in between' 2 --tools data instruct --scenes "$scenes" --out made.json --tools some
bad 'data, unknown kind' 2 dance data dance --out made.json
