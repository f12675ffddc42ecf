/* SPDX-License-Identifier: MIT */
/* model/sam_config.c - what sizes a SAM has and what its files call its weights: transformers' SamConfig
 * (models/sam/configuration_sam.py) and names, or the original's (segment_anything/build_sam.py and
 * modeling/), whose files hold weights only. */
#include "model/sam_model.h"

#include <stdlib.h>
#include <string.h>

static const struct lp_sam_names original = {
    .patch = "image_encoder.patch_embed.proj",
    .position = "image_encoder.pos_embed",
    .blocks = "image_encoder.blocks",
    .norm = "norm",
    .neck = {"image_encoder.neck.0", "image_encoder.neck.1", "image_encoder.neck.2", "image_encoder.neck.3"},
    .gauss = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
    .points = "prompt_encoder.point_embeddings",
    .mask = {"prompt_encoder.mask_downscaling.0", "prompt_encoder.mask_downscaling.1",
             "prompt_encoder.mask_downscaling.3", "prompt_encoder.mask_downscaling.4",
             "prompt_encoder.mask_downscaling.6"},
    .upscale = {"mask_decoder.output_upscaling.0", "mask_decoder.output_upscaling.1",
                "mask_decoder.output_upscaling.3"},
    .last_norm = "mask_decoder.transformer.norm_final_attn",
    .numbered = true,
};

static const struct lp_sam_names hugging_face = {
    .patch = "vision_encoder.patch_embed.projection",
    .position = "vision_encoder.pos_embed",
    .blocks = "vision_encoder.layers",
    .norm = "layer_norm",
    .neck = {"vision_encoder.neck.conv1", "vision_encoder.neck.layer_norm1", "vision_encoder.neck.conv2",
             "vision_encoder.neck.layer_norm2"},
    .gauss = "shared_image_embedding.positional_embedding",
    .points = "prompt_encoder.point_embed",
    .mask = {"prompt_encoder.mask_embed.conv1", "prompt_encoder.mask_embed.layer_norm1",
             "prompt_encoder.mask_embed.conv2", "prompt_encoder.mask_embed.layer_norm2",
             "prompt_encoder.mask_embed.conv3"},
    .upscale = {"mask_decoder.upscale_conv1", "mask_decoder.upscale_layer_norm",
                "mask_decoder.upscale_conv2"},
    .last_norm = "mask_decoder.transformer.layer_norm_final_attn",
};

const struct lp_sam_names *lp_sam_find_names(const struct lp_weights *files) {
    return lp_weights_find(files, "image_encoder.patch_embed.proj.weight") ? &original : &hugging_face;
}

bool lp_sam_names_are_original(const struct lp_sam_names *names) {
    return names == &original;
}

int64_t lp_sam_side(const struct lp_sam_config *c) {
    return c->image_px / c->patch_px;
}

static bool check_act(const json_t *config, const char *known, struct lp_error *err) {
    const char *name;
    if (!lp_json_string(config, "hidden_act", known, &name, err))
        return false;
    return !strcmp(name, known) ||
           lp_error_set(err, LP_EINPUT, "'hidden_act' is '%s'; only %s is known", name, known);
}

static bool read_eps(const json_t *config, double fallback, float *eps, struct lp_error *err) {
    double value;
    if (!lp_json_number(config, "layer_norm_eps", fallback, &value, err))
        return false;
    *eps = (float)value;
    return (*eps > 0 && *eps < 1) ||
           lp_error_set(err, LP_EINPUT, "'layer_norm_eps' must be above 0 and below 1");
}

static bool read_switch(const json_t *config, const char *key, bool *on, struct lp_error *err) {
    const json_t *value = json_object_get(config, key);
    *on = !json_is_false(value);
    return !value || json_is_boolean(value) ||
           lp_error_set(err, LP_EINPUT, "'%s' must be true or false", key);
}

/* The hidden width of a block's perceptron: given, or as a multiple of the block's own. */
static bool read_ffn(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    double ratio;
    if (!lp_json_number(config, "mlp_ratio", 4, &ratio, err))
        return false;
    if (!(ratio > 0 && ratio <= 64))
        return lp_error_set(err, LP_EINPUT, "'mlp_ratio' must be above 0 and at most 64");
    return lp_json_int(config, "mlp_dim", (int64_t)((double)c->hidden * ratio), 1, 1 << 18, &c->ffn, err);
}

/* Every block has windows but those that are listed. */
static bool read_windows(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    static const int64_t usual[] = {2, 5, 8, 11};
    const json_t *list = json_object_get(config, "global_attn_indexes");
    int64_t window;
    if (!lp_json_int(config, "window_size", 14, 0, 4096, &window, err))
        return false;
    for (int64_t i = 0; i < c->layers; i++)
        c->window[i] = window;
    for (int i = 0; i < 4 && !list; i++)
        c->window[usual[i]] = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t at = json_integer_value(json_array_get(list, i));
        if (!json_is_integer(json_array_get(list, i)) || at < 0 || at >= c->layers)
            return lp_error_set(err, LP_EINPUT, "'global_attn_indexes' must name some of the %ld layers",
                                (long)c->layers);
        c->window[at] = 0;
    }
    return !list || json_is_array(list) ||
           lp_error_set(err, LP_EINPUT, "'global_attn_indexes' must be a list");
}

static bool read_vision(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    int64_t colors;
    return lp_json_int(config, "image_size", 1024, 1, 4096, &c->image_px, err) &&
           lp_json_int(config, "patch_size", 16, 1, 4096, &c->patch_px, err) &&
           lp_json_int(config, "hidden_size", 768, 1, 1 << 16, &c->hidden, err) &&
           lp_json_int(config, "num_hidden_layers", 12, 1, LP_SAM_MOST_LAYERS, &c->layers, err) &&
           lp_json_int(config, "num_attention_heads", 12, 1, 1024, &c->heads, err) &&
           lp_json_int(config, "output_channels", 256, 1, 1 << 16, &c->channels, err) &&
           lp_json_int(config, "num_channels", 3, 3, 3, &colors, err) && read_ffn(config, c, err) &&
           read_windows(config, c, err) && read_switch(config, "qkv_bias", &c->qkv_bias, err) &&
           read_switch(config, "use_abs_pos", &c->has_positions, err) &&
           read_switch(config, "use_rel_pos", &c->has_distances, err) && check_act(config, "gelu", err) &&
           read_eps(config, 1e-6, &c->eps, err);
}

static bool read_prompt(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    int64_t same;
    return lp_json_int(config, "hidden_size", 256, c->channels, c->channels, &same, err) &&
           lp_json_int(config, "image_size", 1024, c->image_px, c->image_px, &same, err) &&
           lp_json_int(config, "patch_size", 16, c->patch_px, c->patch_px, &same, err) &&
           lp_json_int(config, "num_point_embeddings", 4, 4, 4, &same, err) &&
           lp_json_int(config, "mask_input_channels", 16, 4, 1 << 16, &c->mask_channels, err) &&
           check_act(config, "gelu", err) && read_eps(config, 1e-6, &c->mask_eps, err);
}

static bool read_decoder(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    int64_t same, unclear = 0;
    bool ok = lp_json_int(config, "hidden_size", 256, c->channels, c->channels, &same, err) &&
              lp_json_int(config, "num_hidden_layers", 2, 1, LP_SAM_MOST_LAYERS, &c->depth, err) &&
              lp_json_int(config, "num_attention_heads", 8, 1, 1024, &c->decoder_heads, err) &&
              lp_json_int(config, "mlp_dim", 2048, 1, 1 << 18, &c->decoder_ffn, err) &&
              lp_json_int(config, "attention_downsample_rate", 2, 1, 1024, &c->narrower, err) &&
              lp_json_int(config, "num_multimask_outputs", 3, 1, LP_SAM_MOST_MASKS - 1, &unclear, err) &&
              lp_json_int(config, "iou_head_depth", 3, 2, LP_SAM_MOST_DEPTH, &c->score_depth, err) &&
              lp_json_int(config, "iou_head_hidden_dim", 256, 1, 1 << 16, &c->score_hidden, err) &&
              check_act(config, "relu", err) && read_eps(config, 1e-6, &c->decoder_eps, err);
    c->masks = 1 + unclear;
    c->last_eps = 1e-5f; /* the one norm whose epsilon transformers leaves to PyTorch */
    return ok;
}

/* Whether what is cut into parts has whole ones. */
static bool check_sizes(const struct lp_sam_config *c, struct lp_error *err) {
    if (c->hidden % c->heads)
        return lp_error_set(err, LP_EINPUT, "%ld channels do not divide into %ld heads", (long)c->hidden,
                            (long)c->heads);
    if (c->image_px < c->patch_px || lp_sam_side(c) > 256)
        return lp_error_set(err, LP_EINPUT, "pictures of %ld px cannot be cut into squares of %ld",
                            (long)c->image_px, (long)c->patch_px);
    if (c->channels % 8 || c->mask_channels % 4 || c->channels % c->narrower ||
        c->channels / c->narrower % c->decoder_heads || c->channels % c->decoder_heads)
        return lp_error_set(err, LP_EINPUT, "the mask decoder's %ld channels do not divide into %ld heads",
                            (long)c->channels, (long)c->decoder_heads);
    return true;
}

bool lp_sam_read_config(const json_t *config, struct lp_sam_config *c, struct lp_error *err) {
    const char *type;
    const json_t *vision, *prompt, *decoder;
    *c = (struct lp_sam_config){0};
    if (!json_is_object(config))
        return lp_error_set(err, LP_EINPUT, "it must hold a JSON object");
    if (!lp_json_string(config, "model_type", "", &type, err) ||
        !lp_json_object(config, "vision_config", &vision, err) ||
        !lp_json_object(config, "prompt_encoder_config", &prompt, err) ||
        !lp_json_object(config, "mask_decoder_config", &decoder, err))
        return false;
    if (strcmp(type, "sam"))
        return lp_error_set(err, LP_EINPUT, "'model_type' is '%s', not sam: this is another kind of model",
                            type);
    if (!read_vision(vision, c, err))
        return lp_error_prefix(err, "vision_config");
    if (!read_prompt(prompt, c, err))
        return lp_error_prefix(err, "prompt_encoder_config");
    if (!read_decoder(decoder, c, err))
        return lp_error_prefix(err, "mask_decoder_config");
    return check_sizes(c, err);
}

/* A weight's size along an axis; 0 where there is no such weight. */
static int64_t size_of(const struct lp_weights *files, const char *name, int axis) {
    const struct lp_weight *w = lp_weights_find(files, name);
    return w && axis < w->ndim && w->dim[axis] <= 1 << 18 ? w->dim[axis] : 0;
}

/* How many parts `before`.0, .1, .. weights belong to: the highest number tells, so that a missing weight
 * does not pass for the end. */
static int64_t count(const struct lp_weights *files, const char *before) {
    int64_t n = 0;
    size_t length = strlen(before);
    for (size_t i = 0; i < lp_weights_count(files); i++) {
        const char *name = lp_weights_at(files, i)->name;
        if (strncmp(name, before, length) || name[length] != '.')
            continue;
        int64_t number = strtol(name + length + 1, NULL, 10);
        n = number >= n && number < INT32_MAX ? number + 1 : n;
    }
    return n;
}

bool lp_sam_read_shapes(const struct lp_weights *files, struct lp_sam_config *c, struct lp_error *err) {
    static const char layers[] = "mask_decoder.transformer.layers",
                      scores[] = "mask_decoder.iou_prediction_head.layers";
    *c = (struct lp_sam_config){.qkv_bias = true,
                                .has_positions = true,
                                .has_distances = true,
                                .eps = 1e-6f,
                                .mask_eps = 1e-6f,
                                .decoder_eps = 1e-5f,
                                .last_eps = 1e-5f};
    int64_t side = size_of(files, original.position, 1);
    int64_t head = size_of(files, "image_encoder.blocks.0.attn.rel_pos_h", 1);
    int64_t inner = size_of(files, "mask_decoder.transformer.final_attn_token_to_image.q_proj.weight", 0);
    c->hidden = size_of(files, original.position, 3);
    c->patch_px = size_of(files, "image_encoder.patch_embed.proj.weight", 2);
    c->image_px = side * c->patch_px;
    c->layers = count(files, original.blocks);
    c->heads = head ? c->hidden / head : 0;
    c->ffn = size_of(files, "image_encoder.blocks.0.mlp.lin1.weight", 0);
    for (int64_t i = 0; i < c->layers && i < LP_SAM_MOST_LAYERS; i++) {
        char name[100];
        snprintf(name, sizeof name, "image_encoder.blocks.%ld.attn.rel_pos_h", (long)i);
        int64_t seen = (size_of(files, name, 0) + 1) / 2;
        c->window[i] = seen == side ? 0 : seen;
    }
    c->channels = size_of(files, "image_encoder.neck.0.weight", 0);
    c->mask_channels = size_of(files, "prompt_encoder.mask_downscaling.3.weight", 0);
    c->depth = count(files, layers);
    c->decoder_heads = 8; /* which no weight's shape shows; build_sam.py knows no other number */
    c->decoder_ffn = size_of(files, "mask_decoder.transformer.layers.0.mlp.lin1.weight", 0);
    c->narrower = inner ? c->channels / inner : 0;
    c->masks = size_of(files, "mask_decoder.mask_tokens.weight", 0);
    c->score_depth = count(files, scores);
    c->score_hidden = size_of(files, "mask_decoder.iou_prediction_head.layers.0.weight", 0);
    if (!side || !c->hidden || !c->patch_px || !c->layers || !c->heads || !c->ffn || !c->channels ||
        !c->depth || !c->mask_channels || !c->decoder_ffn || !c->narrower || c->masks < 2 ||
        c->masks > LP_SAM_MOST_MASKS || c->score_depth < 2 || c->score_depth > LP_SAM_MOST_DEPTH ||
        c->layers > LP_SAM_MOST_LAYERS || c->depth > LP_SAM_MOST_LAYERS || c->image_px > 4096)
        return lp_error_set(err, LP_EMISSING, "these are parts of a SAM, but not all that tells its sizes");
    return check_sizes(c, err);
}
