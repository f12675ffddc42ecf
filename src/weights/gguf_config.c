/* SPDX-License-Identifier: MIT */
/* weights/gguf_config.c - config.json from the metadata llama.* and clip.*.
 * Keys: gguf-py/gguf/constants.py; tools/mtmd/clip-impl.h. */
#include "weights/gguf_model.h"

#include <string.h>

enum { SIZE_LIMIT = 1 << 24 };

/* One translation. The first error sticks: what comes after does nothing. */
struct translation {
    const struct lp_gguf *g;
    json_t *config;
    struct lp_arena arena;
    struct lp_error *err;
    bool failed;
};

/* Takes value; NULL is out of memory. */
static void set(struct translation *t, const char *name, json_t *value) {
    if (t->failed)
        json_decref(value);
    else if (json_object_set_new(t->config, name, value) < 0)
        t->failed = !lp_error_memory(t->err);
}

static int64_t get_int(struct translation *t, const char *key, int64_t fallback) {
    int64_t value = 0;
    if (!t->failed)
        t->failed = !lp_gguf_int(t->g, key, fallback, 0, SIZE_LIMIT, &value, t->err);
    return value;
}

/* A size that the file must give. */
static int64_t copy_size(struct translation *t, const char *key, const char *name) {
    if (!t->failed && !lp_gguf_find(t->g, key))
        t->failed = !lp_error_set(t->err, LP_EINPUT, "%s: the metadata '%s' is missing", t->g->file, key);
    int64_t value = get_int(t, key, 0);
    set(t, name, json_integer(value));
    return value;
}

static void copy_number(struct translation *t, const char *key, const char *name, double fallback) {
    double value;
    if (!t->failed)
        t->failed = !lp_gguf_number(t->g, key, fallback, &value, t->err);
    if (!t->failed)
        set(t, name, json_real(value));
}

static const char *get_string(struct translation *t, const char *key, const char *fallback) {
    const char *value = fallback;
    if (!t->failed)
        t->failed = !lp_gguf_string(t->g, key, fallback, &t->arena, &value, t->err);
    return t->failed ? "" : value;
}

static bool get_bool(struct translation *t, const char *key) {
    bool value = false;
    if (!t->failed)
        t->failed = !lp_gguf_bool(t->g, key, false, &value, t->err);
    return value;
}

static void refuse(struct translation *t, const char *what, const char *value, const char *known) {
    if (!t->failed)
        t->failed = !lp_error_set(t->err, LP_EINPUT, "%s: its %s is '%.60s', but only %s is known",
                                  t->g->file, what, value, known);
}

static void check_architecture(struct translation *t, const char *known) {
    const char *name = get_string(t, "general.architecture", "");
    if (strcmp(name, known))
        refuse(t, "architecture", name, known);
}

/* The end of every translation: the config, or NULL. */
static json_t *finish(struct translation *t) {
    lp_arena_done(&t->arena);
    if (t->failed) {
        json_decref(t->config);
        return NULL;
    }
    return t->config;
}

static struct translation begin(const struct lp_gguf *g, struct lp_error *err) {
    struct translation t = {.g = g, .config = json_object(), .err = err};
    t.failed = !t.config && !lp_error_memory(err);
    return t;
}

/* Positions that are scaled in some way are another model. */
static void read_rope(struct translation *t, int64_t head) {
    double factor = 1;
    const char *type = get_string(t, "llama.rope.scaling.type", "none");
    if (!t->failed)
        t->failed = !lp_gguf_number(t->g, "llama.rope.scale_linear", 1, &factor, t->err);
    if (strcmp(type, "none") == 0 && factor != 1)
        type = "linear";
    if (strcmp(type, "none") == 0 && lp_gguf_find_tensor(t->g, "rope_freqs.weight"))
        type = "by frequencies";
    if (strcmp(type, "none"))
        refuse(t, "scaling of positions", type, "none");
    copy_number(t, "llama.rope.freq_base", "rope_theta", 10000);
    if (get_int(t, "llama.rope.dimension_count", head) != head)
        refuse(t, "rotation", "of a part of each head", "that of whole heads");
    if (get_int(t, "llama.attention.key_length", head) != head)
        refuse(t, "head's length", "not the hidden size divided by the heads", "that");
}

static void read_vocabulary(struct translation *t) {
    const struct lp_weight *table = lp_gguf_find_tensor(t->g, "token_embd.weight");
    if (table && table->ndim == 2)
        set(t, "vocab_size", json_integer(table->dim[0]));
    else
        copy_size(t, "llama.vocab_size", "vocab_size");
    set(t, "tie_word_embeddings", json_boolean(table && !lp_gguf_find_tensor(t->g, "output.weight")));
}

static void read_llama(struct translation *t) {
    check_architecture(t, "llama");
    set(t, "model_type", json_string("llama"));
    int64_t hidden = copy_size(t, "llama.embedding_length", "hidden_size");
    copy_size(t, "llama.block_count", "num_hidden_layers");
    int64_t heads = copy_size(t, "llama.attention.head_count", "num_attention_heads");
    set(t, "num_key_value_heads", json_integer(get_int(t, "llama.attention.head_count_kv", heads)));
    copy_size(t, "llama.feed_forward_length", "intermediate_size");
    copy_size(t, "llama.context_length", "max_position_embeddings");
    copy_number(t, "llama.attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-6);
    read_vocabulary(t);
    read_rope(t, heads > 0 ? hidden / heads : 0);
    if (get_int(t, "llama.expert_count", 0) > 0)
        refuse(t, "feed-forward part", "a mixture of experts", "a single one");
    if (lp_gguf_find_tensor(t->g, "blk.0.attn_q.bias"))
        refuse(t, "attention", "one with biases", "one without");
}

/* Exporters leave out the blocks that nobody needs, so that all blocks of the file are run; but a file that
 * has the last norm, or all 24 blocks of CLIP ViT-L, holds the whole encoder, whose last block LLaVA does not
 * run. */
static int64_t feature_layer(struct translation *t, int64_t blocks, int64_t hidden) {
    const struct lp_gguf_value *layers = lp_gguf_find(t->g, "clip.vision.feature_layer");
    struct lp_gguf_value list, layer;
    int64_t value;
    if (layers) {
        list = *layers;
        bool one = list.type == LP_GGUF_ARRAY && list.count == 1 && lp_gguf_next(&list, &layer) &&
                   lp_gguf_value_int(&layer, &value) && value >= 0 && value <= blocks;
        if (!one)
            refuse(t, "'clip.vision.feature_layer'", "something else", "one number of a block");
        return one ? value : 0;
    }
    bool whole = lp_gguf_find_tensor(t->g, "v.post_ln.weight") || (blocks == 24 && hidden == 1024);
    return whole ? -2 : -1;
}

static json_t *make_tower(const struct lp_gguf *g, int64_t *layer, struct lp_error *err) {
    struct translation t = begin(g, err);
    check_architecture(&t, "clip");
    set(&t, "model_type", json_string("clip_vision_model"));
    int64_t hidden = copy_size(&t, "clip.vision.embedding_length", "hidden_size");
    int64_t blocks = copy_size(&t, "clip.vision.block_count", "num_hidden_layers");
    copy_size(&t, "clip.vision.attention.head_count", "num_attention_heads");
    copy_size(&t, "clip.vision.feed_forward_length", "intermediate_size");
    copy_size(&t, "clip.vision.image_size", "image_size");
    copy_size(&t, "clip.vision.patch_size", "patch_size");
    copy_number(&t, "clip.vision.attention.layer_norm_epsilon", "layer_norm_eps", 1e-5);
    set(&t, "hidden_act", json_string(get_bool(&t, "clip.use_gelu") ? "gelu" : "quick_gelu"));
    if (get_bool(&t, "clip.use_silu"))
        refuse(&t, "activation", "silu", "gelu");
    *layer = feature_layer(&t, blocks, hidden);
    return finish(&t);
}

static void add_vision(struct translation *t, const struct lp_gguf *g) {
    int64_t layer = 0;
    json_t *tower = t->failed ? NULL : make_tower(g, &layer, t->err);
    t->failed = !tower;
    if (t->failed)
        return;
    const struct lp_gguf *language = t->g;
    t->g = g;
    set(t, "vision_config", tower);
    set(t, "model_type", json_string("llava_llama"));
    set(t, "mm_vision_select_layer", json_integer(layer));
    set(t, "mm_vision_select_feature", json_string("patch"));
    const char *projector = get_string(t, "clip.projector_type", "mlp");
    if (strcmp(projector, "mlp"))
        refuse(t, "projector", projector, "mlp");
    bool two_layers = lp_gguf_find_tensor(g, "mm.2.weight");
    set(t, "mm_projector_type", json_string(two_layers ? "mlp2x_gelu" : "linear"));
    const char *aspect = get_string(t, "clip.vision.image_aspect_ratio", two_layers ? "pad" : "square");
    if (strcmp(aspect, "pad") && strcmp(aspect, "square"))
        refuse(t, "picture's aspect ratio", aspect, "pad or square");
    set(t, "image_aspect_ratio", json_string(aspect)); /* LLaVA-1.5, which brought the two layers, pads */
    t->g = language;
}

json_t *lp_gguf_config(const struct lp_gguf *language, const struct lp_gguf *vision, struct lp_error *err) {
    struct translation t = begin(language, err);
    read_llama(&t);
    if (vision)
        add_vision(&t, vision);
    return finish(&t);
}

static void copy_three(struct translation *t, const char *key, const char *name) {
    const struct lp_gguf_value *array = NULL;
    if (!t->failed)
        t->failed = !lp_gguf_array(t->g, key, LP_GGUF_F32, &array, t->err);
    if (!array || t->failed)
        return;
    struct lp_gguf_value list = *array, element;
    double value[3];
    for (int i = 0; i < 3; i++) {
        if (list.count != (uint64_t)(3 - i) || !lp_gguf_next(&list, &element) ||
            !lp_gguf_value_number(&element, &value[i])) {
            refuse(t, name, "something else", "an array of three finite numbers");
            return;
        }
    }
    set(t, name, json_pack("[f,f,f]", value[0], value[1], value[2]));
}

json_t *lp_gguf_preprocessor(const struct lp_gguf *vision, struct lp_error *err) {
    struct translation t = begin(vision, err);
    check_architecture(&t, "clip");
    int64_t size = copy_size(&t, "clip.vision.image_size", "crop_size");
    set(&t, "size", json_pack("{s:I}", "shortest_edge", (json_int_t)size));
    copy_three(&t, "clip.vision.image_mean", "image_mean");
    copy_three(&t, "clip.vision.image_std", "image_std");
    return finish(&t);
}
