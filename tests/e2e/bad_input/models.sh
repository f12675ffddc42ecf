# shellcheck shell=bash
# Model folders that lie. Read by run.sh.

# model NAME: a good folder to spoil.
model() {
    mkdir "$1"
    cp "$golden"/{config.json,model.safetensors,tokenizer.model} "$1"
}
# spoil NAME SED: edits the folder's config.json.
spoil() {
    model "$1"
    sed -i "$2" "$1/config.json"
}
# header NAME JSON BYTES: replaces the folder's weights.
header() {
    model "$1"
    local n=${#2}
    {
        printf "\\x$(printf %02x $((n % 256)))\\x$(printf %02x $((n / 256)))\\0\\0\\0\\0\\0\\0"
        printf '%s' "$2"
        head -c "$3" /dev/zero
    } > "$1/model.safetensors"
}

mkdir none
model no_config; rm no_config/config.json
model no_weights; rm no_weights/model.safetensors
model no_tokenizer; rm no_tokenizer/tokenizer.model
spoil config_cut '$d'
spoil config_text 's/.*/words/'
spoil config_type 's/"hidden_size": 40/"hidden_size": "forty"/'
spoil config_array 's/"text_config": {/"text_config": [], "x": {/'
spoil config_huge 's/"vocab_size": 64/"vocab_size": 4611686018427387904/'
spoil config_wide 's/"hidden_size": 40/"hidden_size": 1000000000/'
spoil config_deep 's/"num_hidden_layers": 2/"num_hidden_layers": 2000000000/'
spoil config_zero 's/"patch_size": 7/"patch_size": 0/'
spoil config_negative 's/"num_attention_heads": 4/"num_attention_heads": -4/'
spoil config_real 's/"rms_norm_eps": 1e-05/"rms_norm_eps": 1e999/'
spoil config_other 's/"model_type": "llava"/"model_type": "bert"/'
spoil config_template 's/"model_type": "llava"/"model_type": "llava", "llava_plus_template": "none"/'
spoil config_larger 's/"intermediate_size": 33/"intermediate_size": 34/'
printf '\xff\xfe{\x00' > config_type/x && model config_bytes && mv config_type/x config_bytes/config.json
for name in config_cut config_text config_type config_array config_huge config_wide config_zero config_negative \
    config_real config_other config_template config_bytes no_config; do
    bad "model $name" 1 "$name/config.json" plan --model $name hello
done
bad 'model config_deep' 1 config_deep plan --model config_deep hello
bad 'model config_larger' 1 gate_proj plan --model config_larger hello
bad 'model missing' 1 nowhere plan --model nowhere hello
bad 'model empty' 1 none/config.json plan --model none hello
bad 'model is a file' 1 text.jpg plan --model text.jpg hello
bad 'model no_weights' 1 no_weights plan --model no_weights hello
bad 'model no_tokenizer' 1 no_tokenizer plan --model no_tokenizer hello

model weights_cut; head -c 100000 "$golden/model.safetensors" > weights_cut/model.safetensors
model weights_head; head -c 5000 "$golden/model.safetensors" > weights_head/model.safetensors
model weights_empty; : > weights_empty/model.safetensors
model weights_folder; rm weights_folder/model.safetensors; mkdir weights_folder/model.safetensors
model weights_long; { printf '\xff\xff\xff\xff\xff\xff\xff\x7f'; head -c 4096 /dev/zero; } > weights_long/model.safetensors
model weights_text; printf '12345678{"a": ' > weights_text/model.safetensors
header weights_overlap '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}' 24
header weights_huge '{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,16]}}' 16
header weights_outside '{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,32]}}' 16
header weights_negative '{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,-16]}}' 16
header weights_kind '{"a":{"dtype":"F13","shape":[4],"data_offsets":[0,16]}}' 16
header weights_few '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}' 16
model weights_turned
sed -i 's/\(embed_tokens.weight":{"dtype":"F32","shape":\)\[64,40\]/\1[40,64]/' weights_turned/model.safetensors
model weights_index; rm weights_index/model.safetensors
printf '{"weight_map": {"a": "../../etc/passwd"}}' > weights_index/model.safetensors.index.json
for name in weights_cut weights_head weights_empty weights_folder weights_long weights_text weights_overlap weights_huge \
    weights_outside weights_negative weights_kind weights_few weights_index; do
    bad "model $name" 1 "$name" plan --model $name hello
done
bad 'model weights_turned' 1 embed_tokens plan --model weights_turned hello

model tokenizer_cut; head -c 301 "$golden/tokenizer.model" > tokenizer_cut/tokenizer.model
model tokenizer_lies; printf '\n\xff\xff\xff\xff\x07abc' > tokenizer_lies/tokenizer.model
model tokenizer_empty; : > tokenizer_empty/tokenizer.model
model tokenizer_many; cp "$here/../../golden/tokenizer/tokenizer.model" tokenizer_many
model tokenizer_text; printf 'no tokenizer\n' > tokenizer_text/tokenizer.model
model tokenizer_json; rm tokenizer_json/tokenizer.model; printf '{"model": {"type": "BPE", "vocab": [' > tokenizer_json/tokenizer.json
for name in tokenizer_cut tokenizer_lies tokenizer_empty tokenizer_many tokenizer_text tokenizer_json; do
    bad "model $name" 1 "$name/tokenizer" plan --model $name hello
done
bad 'chat, model missing' 1 nowhere chat --model nowhere hello
bad 'chat, picture missing' 1 missing.jpg chat --model "$golden" --image missing.jpg hello
bad 'plan, picture cut' 1 cut.jpg plan --model "$golden" --image cut.jpg hello
