/* SPDX-License-Identifier: MIT */
/* model/llava_config.c - config.json of both layouts. */
#include "model/llava_model.h"

#include <string.h>

/* Blocks to run so that hidden state `layer` comes out: hidden states are the embeddings and one a block. */
static bool read_depth(const json_t *config, const char *key, struct lp_llava_config *c, struct lp_error *err) {
    int64_t layer, states = c->clip.layers + 1;
    if (!lp_json_int(config, key, -2, -states, states - 1, &layer, err))
        return false;
    c->depth = layer < 0 ? states + layer : layer;
    return true;
}

static bool check_name(const json_t *config, const char *key, const char *fallback, const char *known,
                       struct lp_error *err) {
    const char *name;
    if (!lp_json_string(config, key, fallback, &name, err))
        return false;
    if (strcmp(name, known))
        return lp_error_set(err, LP_EINPUT, "'%s' is '%s'; only '%s' is known", key, name, known);
    return true;
}

static bool read_hugging_face(const json_t *config, const json_t *text, const json_t *vision,
                              struct lp_llava_config *c, struct lp_error *err) {
    const char *act;
    if (!lp_llama_read_config(text, &c->llama, err))
        return lp_error_prefix(err, "text_config");
    if (!lp_clip_read_config(vision, &c->clip, err))
        return lp_error_prefix(err, "vision_config");
    if (!read_depth(config, "vision_feature_layer", c, err) ||
        !check_name(config, "vision_feature_select_strategy", "default", "default", err) ||
        !lp_json_string(config, "projector_hidden_act", "gelu", &act, err))
        return false;
    if (strcmp(act, "gelu"))
        return lp_error_set(err, LP_EINPUT, "'projector_hidden_act' is '%s'; only gelu is known", act);
    c->two_layers = true;
    return true;
}

/* The picture encoder that the original names without describing it: CLIP ViT-L/14 at 224 or 336 pixels. */
static bool read_named_tower(const json_t *config, struct lp_clip_config *c, struct lp_error *err) {
    const char *name;
    if (!lp_json_string(config, "mm_vision_tower", "openai/clip-vit-large-patch14", &name, err))
        return false;
    *c = (struct lp_clip_config){1024, 24, 16, 4096, strstr(name, "336") ? 336 : 224, 14, LP_QUICK_GELU, 1e-5f};
    return true;
}

static bool read_original(const json_t *config, const json_t *tower, struct lp_llava_config *c,
                          struct lp_error *err) {
    const char *projector;
    bool ok = lp_llama_read_config(config, &c->llama, err) &&
              (tower ? lp_clip_read_config(tower, &c->clip, err) : read_named_tower(config, &c->clip, err)) &&
              read_depth(config, "mm_vision_select_layer", c, err) &&
              check_name(config, "mm_vision_select_feature", "patch", "patch", err) &&
              lp_json_string(config, "mm_projector_type", "linear", &projector, err);
    if (!ok)
        return false;
    if (json_is_true(json_object_get(config, "mm_use_im_start_end")))
        return lp_error_set(err, LP_EINPUT, "'mm_use_im_start_end' is not supported");
    c->two_layers = !strcmp(projector, "mlp2x_gelu");
    if (!c->two_layers && strcmp(projector, "linear"))
        return lp_error_set(err, LP_EINPUT, "'mm_projector_type' is '%s'; linear and mlp2x_gelu are known", projector);
    return true;
}

static bool read_template(const json_t *config, const struct lp_template **template, struct lp_error *err) {
    const char *key;
    if (!lp_json_string(config, "llava_plus_template", NULL, &key, err))
        return false;
    *template = key ? lp_template_find(key) : NULL;
    if (key && !*template)
        return lp_error_set(err, LP_EINPUT, "'llava_plus_template' is '%s', which is no template", key);
    return true;
}

bool lp_llava_read_config(const json_t *config, struct lp_llava_config *c, struct lp_error *err) {
    *c = (struct lp_llava_config){.act = LP_GELU};
    if (!json_is_object(config))
        return lp_error_set(err, LP_EINPUT, "it must hold a JSON object");
    const char *type;
    const json_t *text, *vision;
    if (!lp_json_string(config, "model_type", "", &type, err) || !lp_json_object(config, "text_config", &text, err) ||
        !lp_json_object(config, "vision_config", &vision, err) || !read_template(config, &c->template, err))
        return false;
    if (strcmp(type, "llava") && strcmp(type, "llava_llama"))
        return lp_error_set(err, LP_EINPUT, "'model_type' is '%s', not llava: this is another kind of model", type);
    c->knows_handles = json_is_true(json_object_get(config, "llava_plus_handles"));
    return text ? read_hugging_face(config, text, vision, c, err) : read_original(config, vision, c, err);
}
