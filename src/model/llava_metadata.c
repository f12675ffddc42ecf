/* SPDX-License-Identifier: MIT */
/* model/llava_metadata.c - what GGUF files say about a model beside its tensors.
 * Keys: gguf-py/gguf/constants.py; for mmproj files tools/mtmd/clip-impl.h and
 * tools/mtmd/legacy-models/convert_image_encoder_to_gguf.py. Ours begin with "llava_plus.". */
#include "model/llava_quantize.h"

#include "base/memory.h"

#include <string.h>

enum { QUANTIZATION_VERSION = 2, FILE_F16 = 1 };

static void put_sizes(struct lp_gguf_metadata *m, const struct lp_llama_config *c) {
    lp_gguf_put_u32(m, "llama.block_count", (uint32_t)c->layers);
    lp_gguf_put_u32(m, "llama.context_length", (uint32_t)c->context);
    lp_gguf_put_u32(m, "llama.embedding_length", (uint32_t)c->hidden);
    lp_gguf_put_u32(m, "llama.feed_forward_length", (uint32_t)c->ffn);
    lp_gguf_put_u32(m, "llama.attention.head_count", (uint32_t)c->heads);
    lp_gguf_put_u32(m, "llama.attention.head_count_kv", (uint32_t)c->key_heads);
    lp_gguf_put_f32(m, "llama.attention.layer_norm_rms_epsilon", c->eps);
    lp_gguf_put_f32(m, "llama.rope.freq_base", c->theta);
    lp_gguf_put_u32(m, "llama.rope.dimension_count", (uint32_t)(c->hidden / c->heads));
    lp_gguf_put_u32(m, "llama.vocab_size", (uint32_t)c->vocabulary);
}

static void put_id(struct lp_gguf_metadata *m, const char *key, int id) {
    if (id >= 0)
        lp_gguf_put_u32(m, key, (uint32_t)id);
}

static bool put_tokenizer(struct lp_gguf_metadata *m, const struct lp_tokenizer *t, int64_t count,
                          struct lp_error *err) {
    struct lp_arena arena = {0};
    struct lp_token_list list;
    size_t n = (size_t)count;
    float *score = lp_arena_array(&arena, n, sizeof *score);
    int32_t *type = lp_arena_array(&arena, n, sizeof *type);
    bool ok = (score && type) || lp_error_memory(err);
    ok = ok && lp_tokenizer_list(t, count, &arena, &list, err);
    if (ok) {
        lp_gguf_put_string(m, "tokenizer.ggml.model", "llama");
        lp_gguf_put_string(m, "tokenizer.ggml.pre", "default");
        lp_gguf_put_strings(m, "tokenizer.ggml.tokens", n);
        for (size_t i = 0; i < n; i++) {
            lp_gguf_put_element(m, list.token[i].name, list.token[i].n);
            score[i] = list.token[i].score;
            type[i] = list.token[i].type;
        }
        lp_gguf_put_array(m, "tokenizer.ggml.scores", LP_GGUF_F32, score, n);
        lp_gguf_put_array(m, "tokenizer.ggml.token_type", LP_GGUF_I32, type, n);
        put_id(m, "tokenizer.ggml.bos_token_id", list.bos);
        put_id(m, "tokenizer.ggml.eos_token_id", list.eos);
        put_id(m, "tokenizer.ggml.unknown_token_id", lp_tokenizer_unk(t));
        put_id(m, "tokenizer.ggml.padding_token_id", list.pad);
        lp_gguf_put_bool(m, "tokenizer.ggml.add_bos_token", list.add_bos);
        lp_gguf_put_bool(m, "tokenizer.ggml.add_eos_token", false);
        lp_gguf_put_bool(m, "tokenizer.ggml.add_space_prefix", list.space_prefix);
        lp_gguf_put_bool(m, "tokenizer.ggml.remove_extra_whitespaces", list.remove_spaces);
    }
    lp_arena_done(&arena);
    return ok;
}

bool lp_llava_put_language(struct lp_gguf_metadata *m, const struct lp_llava_source *s,
                           const struct lp_llava_config *c, const char *template, uint32_t file_type,
                           struct lp_error *err) {
    static const char *const ours[] = {"general.file_type", "general.quantization_version",
                                       "llava_plus.template", "llava_plus.handles", NULL};
    const struct lp_gguf *g = lp_weights_gguf(s->files, 0);
    bool ok = true;
    if (g) { /* a GGUF file's own words stay */
        lp_gguf_put_all(m, g, ours);
    } else {
        lp_gguf_put_string(m, "general.architecture", "llama");
        lp_gguf_put_string(m, "general.type", "model");
        lp_gguf_put_string(m, "general.name", s->name);
        put_sizes(m, &c->llama);
        ok = put_tokenizer(m, s->tokenizer, c->llama.vocabulary, err) ||
             lp_error_prefix(err, "%s", s->tokenizer_file);
    }
    lp_gguf_put_u32(m, "general.file_type", file_type);
    lp_gguf_put_u32(m, "general.quantization_version", QUANTIZATION_VERSION);
    if (template)
        lp_gguf_put_string(m, "llava_plus.template", template);
    if (c->knows_handles)
        lp_gguf_put_bool(m, "llava_plus.handles", true);
    return ok;
}

static void put_tower(struct lp_gguf_metadata *m, const struct lp_llava_config *c) {
    const struct lp_clip_config *v = &c->clip;
    const int32_t layer = (int32_t)c->depth;
    lp_gguf_put_bool(m, "clip.has_text_encoder", false);
    lp_gguf_put_bool(m, "clip.has_vision_encoder", true);
    lp_gguf_put_bool(m, "clip.has_llava_projector", true);
    lp_gguf_put_string(m, "clip.projector_type", "mlp");
    lp_gguf_put_bool(m, "clip.use_gelu", v->act == LP_GELU);
    lp_gguf_put_u32(m, "clip.vision.image_size", (uint32_t)v->image_px);
    lp_gguf_put_u32(m, "clip.vision.patch_size", (uint32_t)v->patch_px);
    lp_gguf_put_u32(m, "clip.vision.embedding_length", (uint32_t)v->hidden);
    lp_gguf_put_u32(m, "clip.vision.feed_forward_length", (uint32_t)v->ffn);
    lp_gguf_put_u32(m, "clip.vision.projection_dim", (uint32_t)c->llama.hidden);
    lp_gguf_put_u32(m, "clip.vision.block_count",
                    (uint32_t)c->depth); /* only those that are run are written */
    lp_gguf_put_array(m, "clip.vision.feature_layer", LP_GGUF_I32, &layer, 1);
    lp_gguf_put_u32(m, "clip.vision.attention.head_count", (uint32_t)v->heads);
    lp_gguf_put_f32(m, "clip.vision.attention.layer_norm_epsilon", v->eps);
}

static void put_three(struct lp_gguf_metadata *m, const char *key, const double value[3]) {
    const float three[3] = {(float)value[0], (float)value[1], (float)value[2]};
    lp_gguf_put_array(m, key, LP_GGUF_F32, three, 3);
}

bool lp_llava_put_picture(struct lp_gguf_metadata *m, const struct lp_llava_source *s,
                          const struct lp_llava_config *c, struct lp_error *err) {
    struct lp_preprocess p;
    const char *aspect;
    if (!lp_preprocess_read(&p, s->preprocessor, err))
        return lp_error_prefix(err, "%s", s->preprocessor_file);
    if (!lp_json_string(s->config, "image_aspect_ratio", NULL, &aspect, err) ||
        !lp_preprocess_set_aspect(&p, aspect, err))
        return lp_error_prefix(err, "%s", s->config_file);
    lp_gguf_put_string(m, "general.architecture", "clip");
    lp_gguf_put_string(m, "general.type", "mmproj");
    lp_gguf_put_string(m, "general.name", s->name);
    lp_gguf_put_u32(m, "general.file_type", FILE_F16);
    put_tower(m, c);
    put_three(m, "clip.vision.image_mean", p.mean);
    put_three(m, "clip.vision.image_std", p.std);
    lp_gguf_put_string(m, "clip.vision.image_aspect_ratio", p.aspect == LP_ASPECT_PAD ? "pad" : "square");
    char *text = s->preprocessor ? lp_json_text(s->preprocessor) : NULL;
    if (s->preprocessor && !text)
        return lp_error_memory(err);
    if (text)
        lp_gguf_put_string(m, "llava_plus.preprocessor", text);
    lp_free(text);
    return true;
}
