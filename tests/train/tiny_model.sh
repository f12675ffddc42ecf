# tiny_model.sh, for sourcing: tiny_model SOURCE FOLDER makes the folder of a new LLaVA that learns in no time.
tiny_model() {
    mkdir "$2"
    ln -s "$1/tests/golden/tokenizer/tokenizer.model" "$2/"
    cat >"$2/config.json" <<'J'
{"model_type": "llava", "rms_norm_eps": 0.001,
 "text_config": {"model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
  "num_attention_heads": 2, "vocab_size": 4096, "max_position_embeddings": 200},
 "vision_config": {"model_type": "clip_vision_model", "hidden_size": 16, "intermediate_size": 32,
  "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16, "patch_size": 8}}
J
}
