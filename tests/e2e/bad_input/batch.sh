# shellcheck shell=bash
# JSONL files for `plan --batch`. Read by run.sh.

# batch NAME NEEDLE LINE: a file with one bad line.
batch() {
    printf '%s\n' "$3" > "batch.$1"
    bad "batch $1" 1 "$2" plan --model "$golden" --batch "batch.$1"
}
batch words 'batch.words' 'not json'
batch half 'batch.half' '{"id": 1, "instruction": "x"'
batch array 'line 1' '[1, 2]'
batch two 'line 1' '{"id": 1, "instruction": "x"} {"id": 2}'
batch no_id "'id'" '{"instruction": "x"}'
batch no_instruction "'instruction'" '{"id": 1}'
batch id_kind "'id'" '{"id": {"a": 1}, "instruction": "x"}'
batch instruction_kind "instruction" '{"id": 1, "instruction": 5}'
batch instruction_empty 'line 1' '{"id": 1, "instruction": ""}'
batch image_kind "image" '{"id": 1, "instruction": "x", "image": [1]}'
batch image_missing "missing.jpg" '{"id": 1, "instruction": "x", "image": "missing.jpg"}'
batch image_cut "cut.jpg" '{"id": 1, "instruction": "x", "image": "cut.jpg"}'
batch points_kind "points" '{"id": 1, "instruction": "x", "points": "0.5,0.5"}'
batch points_three "points" '{"id": 1, "instruction": "x", "points": [[0.1, 0.2, 0.3]]}'
batch points_outside "line 1" '{"id": 1, "instruction": "x", "image": "dot.gif", "points": [[1.5, 0.2]]}'
batch points_infinite "line 1" '{"id": 1, "instruction": "x", "points": [[1e999, 0.2]]}'
batch points_nan "line 1" '{"id": 1, "instruction": "x", "points": [[NaN, 0.2]]}'
batch boxes_outside "line 1" '{"id": 1, "instruction": "x", "image": "dot.gif", "boxes": [[-0.1, 0, 1, 1]]}'
batch boxes_kind "boxes" '{"id": 1, "instruction": "x", "boxes": {"a": 1}}'
batch reference_kind "reference" '{"id": 1, "instruction": "x", "reference": "a.jpg"}'
batch reference_missing "missing.jpg" '{"id": 1, "instruction": "x", "reference": {"image": "missing.jpg"}}'
batch twice 'line 1' '{"id": 1, "id": 2, "instruction": "x"}'
batch utf8 'line 1' "$(printf '{"id": 1, "instruction": "a\xff\xfeb"}')"
batch nul_escape 'line 1' '{"id": 1, "instruction": "a\u0000b"}'
batch deep 'line 1' "$(printf '%.0s[' {1..100000})"
printf '{"id": 1, "instruction": "a\0b"}\n' > batch.nul
bad 'batch nul' 1 'line 1' plan --model "$golden" --batch batch.nul
{ printf '{"id": 1, "instruction": "'; head -c 10485760 /dev/zero | tr '\0' 'x'; printf '"}\n'; } > batch.long
bad 'batch long' 1 'line 1' plan --model "$golden" --batch batch.long
printf '\n\n{"id": 1, "instruction": "x"}\n\n{\n' > batch.fifth
bad 'batch fifth line' 1 'line 5' plan --model "$golden" --batch batch.fifth
bad 'batch missing' 1 batch.none plan --model "$golden" --batch batch.none
bad 'batch is a folder' 1 folder.jpg plan --model "$golden" --batch folder.jpg
bad 'batch is endless' 1 /dev/zero plan --model "$golden" --batch /dev/zero
