/* SPDX-License-Identifier: MIT */
/* model/grounding_dino_config.c - Grounding DINO's two layouts of files: names, and sizes from a config.json
 * or from the shapes of the original's weights.
 * Weight names: transformers, models/grounding_dino/modeling_grounding_dino.py; and the original's,
 * groundingdino/models/GroundingDINO/{groundingdino,transformer,fuse_modules}.py. */
#include "model/grounding_dino_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 1 << 13, MOST_LAYERS = 64, MOST_QUERIES = 1 << 14 };

/* ---- names ---- */

static const struct lp_dino_names hugging_face = {
    .backbone = "model.backbone.conv_encoder.model",
    .words = "model.text_projection",
    .project = "model.input_proj_vision",
    .level_code = "model.level_embed",
    .targets = "model.query_position_embeddings.weight",
    .chosen = "model.enc_output",
    .chosen_norm = "model.enc_output_norm",
    .chosen_box = "model.encoder_output_bbox_embed",
    .fusion = {"model.encoder.layers", ".fusion_layer"},
    .text = {"model.encoder.layers", ".text_enhancer_layer"},
    .deform = {"model.encoder.layers", ".deformable_layer"},
    .fusion_norm = {"layer_norm_vision", "layer_norm_text"},
    .gamma = {"vision_param", "text_param"},
    .fusion_in = {"attn.vision_proj", "attn.text_proj"},
    .fusion_value = {"attn.values_vision_proj", "attn.values_text_proj"},
    .fusion_out = {"attn.out_vision_proj", "attn.out_text_proj"},
    .text_norm = {"layer_norm_before", "layer_norm_after"},
    .deform_norm = {"self_attn_layer_norm", "final_layer_norm"},
    .fc = {"fc1", "fc2"},
    .decoder = "model.decoder.layers",
    .decoder_norm = "model.decoder.layer_norm",
    .query_code = "model.decoder.reference_points_head",
    .self = "self_attn",
    .cross_text = "encoder_attn_text",
    .cross = "encoder_attn",
    .decoder_layer_norm = {"self_attn_layer_norm", "encoder_attn_text_layer_norm", "encoder_attn_layer_norm",
                           "final_layer_norm"},
};

static const struct lp_dino_names original = {
    .packed = true,
    .backbone = "backbone.0",
    .words = "feat_map",
    .project = "input_proj",
    .level_code = "transformer.level_embed",
    .targets = "transformer.tgt_embed.weight",
    .chosen = "transformer.enc_output",
    .chosen_norm = "transformer.enc_output_norm",
    .chosen_box = "transformer.enc_out_bbox_embed",
    .fusion = {"transformer.encoder.fusion_layers", ""},
    .text = {"transformer.encoder.text_layers", ""},
    .deform = {"transformer.encoder.layers", ""},
    .fusion_norm = {"layer_norm_v", "layer_norm_l"},
    .gamma = {"gamma_v", "gamma_l"},
    .fusion_in = {"attn.v_proj", "attn.l_proj"},
    .fusion_value = {"attn.values_v_proj", "attn.values_l_proj"},
    .fusion_out = {"attn.out_v_proj", "attn.out_l_proj"},
    .text_norm = {"norm1", "norm2"},
    .deform_norm = {"norm1", "norm2"},
    .fc = {"linear1", "linear2"},
    .decoder = "transformer.decoder.layers",
    .decoder_norm = "transformer.decoder.norm",
    .query_code = "transformer.decoder.ref_point_head",
    .self = "self_attn",
    .cross_text = "ca_text",
    .cross = "cross_attn",
    .decoder_layer_norm = {"norm2", "catext_norm", "norm1", "norm3"},
};

const struct lp_dino_names *lp_dino_find_names(const struct lp_weights *files, const char **prefix) {
    *prefix = "";
    if (lp_weights_find(files, "model.text_projection.weight"))
        return &hugging_face;
    if (lp_weights_find(files, "feat_map.weight"))
        return &original;
    *prefix = "module."; /* as parallel training leaves it */
    return lp_weights_find(files, "module.feat_map.weight") ? &original : NULL;
}

bool lp_dino_names_are_original(const struct lp_dino_names *names) {
    return names == &original;
}

/* ---- config.json ---- */

static bool check_sizes(const struct lp_dino_config *c, struct lp_error *err) {
    int64_t maps = 0;
    for (int64_t i = 0; i < c->backbone.stages; i++)
        maps += c->backbone.gives[i];
    if (c->levels < maps)
        return lp_error_set(err, LP_EINPUT, "there are %ld maps of the picture for %ld levels", (long)maps,
                            (long)c->levels);
    if (c->channels % 32 || c->channels % c->encoder_heads || c->channels % c->decoder_heads ||
        c->encoder_heads % 2 || c->encoder_ffn % c->encoder_heads)
        return lp_error_set(err, LP_EINPUT,
                            "%ld channels and %ld hidden ones do not divide into 32 groups and %ld heads",
                            (long)c->channels, (long)c->encoder_ffn, (long)c->encoder_heads);
    return true;
}

/* Switches that would make another model. */
static bool check_kind(const json_t *config, struct lp_error *err) {
    static const struct {
        const char *key;
        bool must_be;
    } switches[] = {{"two_stage", true},
                    {"embedding_init_target", true},
                    {"two_stage_bbox_embed_share", false},
                    {"use_timm_backbone", false}};
    const char *act, *kind;
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        const json_t *value = json_object_get(config, switches[i].key);
        if (value && json_is_true(value) != switches[i].must_be)
            return lp_error_set(err, LP_EINPUT, "'%s' must be %s", switches[i].key,
                                switches[i].must_be ? "true" : "false");
    }
    if (!lp_json_string(config, "activation_function", "relu", &act, err) ||
        !lp_json_string(config, "position_embedding_type", "sine", &kind, err))
        return false;
    return (!strcmp(act, "relu") && !strcmp(kind, "sine")) ||
           lp_error_set(err, LP_EINPUT,
                        "'activation_function' must be relu and 'position_embedding_type' sine");
}

static bool read_numbers(const json_t *config, struct lp_dino_config *c, struct lp_error *err) {
    int64_t tokens;
    double eps;
    bool ok = lp_json_int(config, "d_model", 256, 1, MOST_WIDTH, &c->channels, err) &&
              lp_json_int(config, "num_feature_levels", 4, 1, LP_DINO_LEVELS, &c->levels, err) &&
              lp_json_int(config, "num_queries", 900, 1, MOST_QUERIES, &c->queries, err) &&
              lp_json_int(config, "encoder_layers", 6, 1, MOST_LAYERS, &c->encoder_layers, err) &&
              lp_json_int(config, "encoder_attention_heads", 8, 1, 256, &c->encoder_heads, err) &&
              lp_json_int(config, "encoder_ffn_dim", 2048, 2, 1 << 16, &c->encoder_ffn, err) &&
              lp_json_int(config, "encoder_n_points", 4, 1, LP_DEFORM_POINTS, &c->encoder_points, err) &&
              lp_json_int(config, "decoder_layers", 6, 1, MOST_LAYERS, &c->decoder_layers, err) &&
              lp_json_int(config, "decoder_attention_heads", 8, 1, 256, &c->decoder_heads, err) &&
              lp_json_int(config, "decoder_ffn_dim", 2048, 1, 1 << 16, &c->decoder_ffn, err) &&
              lp_json_int(config, "decoder_n_points", 4, 1, LP_DEFORM_POINTS, &c->decoder_points, err) &&
              lp_json_int(config, "max_text_len", LP_PHRASES_TOKENS, LP_PHRASES_TOKENS, LP_PHRASES_TOKENS,
                          &tokens, err) &&
              lp_json_number(config, "positional_embedding_temperature", 20, &c->temperature, err) &&
              lp_json_number(config, "layer_norm_eps", 1e-5, &eps, err);
    c->eps = ok ? (float)eps : 0;
    if (ok && !(c->eps > 0 && c->eps < 1 && c->temperature >= 1 && c->temperature <= 1e9))
        return lp_error_set(
            err, LP_EINPUT,
            "'layer_norm_eps' must be above 0 and below 1, 'positional_embedding_temperature' at "
            "least 1");
    return ok;
}

bool lp_dino_read_config(const json_t *config, struct lp_dino_config *c, struct lp_error *err) {
    const json_t *backbone = NULL, *text = NULL;
    const char *kind;
    *c = (struct lp_dino_config){.edge = 1e-5f};
    bool ok = lp_json_object(config, "backbone_config", &backbone, err) &&
              lp_json_object(config, "text_config", &text, err) &&
              lp_json_string(config, "model_type", "grounding-dino", &kind, err) &&
              (!strcmp(kind, "grounding-dino") ||
               lp_error_set(err, LP_EINPUT, "'model_type' is '%.40s', not grounding-dino", kind));
    json_t *usual = ok && !backbone ? json_pack("{s:[i,i,i]}", "out_indices", 2, 3, 4) : NULL;
    ok = ok && check_kind(config, err) && read_numbers(config, c, err) &&
         lp_bert_read_config(text, &c->text, err) &&
         lp_swin_read_config(usual ? usual : backbone, &c->backbone, err) && check_sizes(c, err);
    json_decref(usual);
    return ok;
}

/* ---- shapes ---- */

struct shapes {
    const struct lp_weights *files;
    const char *prefix;
};

/* A weight's size along an axis; 0 where there is no such weight, or it is no size. */
static int64_t size_of(const struct shapes *s, int axis, const char *name) {
    char full[128];
    snprintf(full, sizeof full, "%s%s", s->prefix, name);
    const struct lp_weight *w = lp_weights_find(s->files, full);
    return w && axis < w->ndim && w->dim[axis] <= 1 << 18 ? w->dim[axis] : 0;
}

/* How many layers "<prefix><stem>.0", ".1", .. have weights: the highest number tells, so that a missing
 * weight does not pass for the end. */
static int64_t count(const struct shapes *s, const char *stem) {
    char start[128];
    int length = snprintf(start, sizeof start, "%s%s.", s->prefix, stem);
    int64_t n = 0;
    for (size_t i = 0; i < lp_weights_count(s->files); i++) {
        const char *name = lp_weights_at(s->files, i)->name;
        if (strncmp(name, start, (size_t)length))
            continue;
        int64_t number = strtol(name + length, NULL, 10);
        n = number >= n && number <= MOST_LAYERS ? number + 1 : n;
    }
    return n;
}

/* BERT's heads are of 64 channels, which shows in no shape. */
static void read_text_shapes(const struct shapes *s, struct lp_bert_config *c) {
    *c = (struct lp_bert_config){
        .vocabulary = size_of(s, 0, "bert.embeddings.word_embeddings.weight"),
        .positions = size_of(s, 0, "bert.embeddings.position_embeddings.weight"),
        .types = size_of(s, 0, "bert.embeddings.token_type_embeddings.weight"),
        .hidden = size_of(s, 1, "bert.embeddings.word_embeddings.weight"),
        .layers = count(s, "bert.encoder.layer"),
        .ffn = size_of(s, 0, "bert.encoder.layer.0.intermediate.dense.weight"),
        .eps = 1e-12f,
    };
    c->heads = c->hidden / 64;
}

bool lp_dino_read_shapes(const struct lp_weights *files, const char *prefix, struct lp_dino_config *c,
                         struct lp_error *err) {
    enum { HEADS = 8 }; /* which shows in no shape */
    struct shapes s = {files, prefix};
    char backbone[64];
    snprintf(backbone, sizeof backbone, "%s%s.", prefix, original.backbone);
    *c = (struct lp_dino_config){
        .channels = size_of(&s, 1, "transformer.level_embed"),
        .levels = size_of(&s, 0, "transformer.level_embed"),
        .queries = size_of(&s, 0, "transformer.tgt_embed.weight"),
        .encoder_layers = count(&s, original.deform[0]),
        .encoder_heads = HEADS,
        .encoder_ffn = size_of(&s, 0, "transformer.encoder.layers.0.linear1.weight"),
        .decoder_layers = count(&s, original.decoder),
        .decoder_heads = HEADS,
        .decoder_ffn = size_of(&s, 0, "transformer.decoder.layers.0.linear1.weight"),
        .temperature = 20,
        .eps = 1e-5f,
        .edge = 1e-3f,
    };
    int64_t encoder = size_of(&s, 0, "transformer.encoder.layers.0.self_attn.attention_weights.weight");
    int64_t decoder = size_of(&s, 0, "transformer.decoder.layers.0.cross_attn.attention_weights.weight");
    read_text_shapes(&s, &c->text);
    if (!lp_swin_read_shapes(files, backbone, &c->backbone, err))
        return false;
    if (c->levels > 0 && c->levels <= LP_DINO_LEVELS) {
        c->encoder_points = encoder / (HEADS * c->levels);
        c->decoder_points = decoder / (HEADS * c->levels);
    }
    bool whole = c->channels && c->queries && c->encoder_layers && c->encoder_ffn && c->decoder_layers &&
                 c->decoder_ffn && c->encoder_points > 0 && c->encoder_points <= LP_DEFORM_POINTS &&
                 c->decoder_points > 0 && c->decoder_points <= LP_DEFORM_POINTS && c->text.vocabulary &&
                 c->text.positions && c->text.types && c->text.layers && c->text.ffn && c->text.heads &&
                 c->text.hidden % c->text.heads == 0;
    return (whole ||
            lp_error_set(err, LP_EMISSING,
                         "these are no weights of a Grounding DINO, or not all that tells its sizes")) &&
           check_sizes(c, err);
}
