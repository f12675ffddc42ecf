/* SPDX-License-Identifier: MIT */
/* model/swin.c - Swin transformer, Liu et al. 2021, arXiv:2103.14030, as detectors use it.
 *   pixels [1,3,height,width] --squares of P--> [H*W,C] --stage 1--> [H*W,C]
 *     --merge 2 x 2--> [H/2*W/2,2C] --stage 2--> .. [H/8*W/8,8C]
 * Every stage's map has a norm of its own on its way out. Unlike the paper's classifier a detector takes
 * pictures of any size: squares, merges and windows that reach beyond see zeros there, and windows shift also
 * where one covers the whole map.
 * Weight names: transformers, models/swin/modeling_swin.py, SwinBackbone; or the original's,
 * groundingdino/models/GroundingDINO/backbone/swin_transformer.py, where queries, keys and values are one. */
#include "model/swin.h"

#include <stdio.h>
#include <string.h>

struct lp_swin_block {
    struct lp_norm norm1, norm2;   /* [C] */
    struct lp_linear q, k, v, out; /* [C,C] */
    lp_tensor *table;              /* [(2*window-1)^2,heads] */
    struct lp_linear fc1, fc2;     /* [F,C], [C,F] */
};

struct lp_swin_stage {
    struct lp_swin_block *block; /* [depth] */
    struct lp_norm norm;         /* of the map on its way out; where the stage gives one */
    struct lp_norm merge_norm;   /* [4C]; all stages but the last */
    struct lp_linear merge;      /* [2C,4C] */
};

static const float outer_eps =
    1e-5f; /* of all norms outside blocks: PyTorch's, no configuration changes it */

/* ---- weights ---- */

struct names {
    const char *patch, *patch_norm, *stages;
    const char *norm1, *qkv[3], *table, *out, *norm2, *fc1, *fc2; /* in a block */
    const char *qkv_bias; /* where the three are one, whose weight is the first's name; else NULL */
    const char *level; /* what norms on the way out are called, before their number, */
    int64_t first;     /* and the first stage's number */
};

static const struct names hugging_face = {
    .patch = "embeddings.patch_embeddings.projection",
    .patch_norm = "embeddings.norm",
    .stages = "encoder.layers",
    .norm1 = "layernorm_before",
    .qkv = {"attention.self.query", "attention.self.key", "attention.self.value"},
    .table = "attention.self.relative_position_bias_table",
    .out = "attention.output.dense",
    .norm2 = "layernorm_after",
    .fc1 = "intermediate.dense",
    .fc2 = "output.dense",
    .level = "hidden_states_norms.stage",
    .first = 1,
};

static const struct names original = {
    .patch = "patch_embed.proj",
    .patch_norm = "patch_embed.norm",
    .stages = "layers",
    .norm1 = "norm1",
    .qkv = {"attn.qkv.weight"},
    .qkv_bias = "attn.qkv.bias",
    .table = "attn.relative_position_bias_table",
    .out = "attn.proj",
    .norm2 = "norm2",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .level = "norm",
};

static bool is_original(const struct lp_bind *b) {
    char name[sizeof b->prefix + 32];
    snprintf(name, sizeof name, "%s%s.weight", b->prefix, original.patch);
    return b->files && lp_weights_find(b->files, name);
}

static void bind_qkv(struct lp_bind *b, const struct names *n, struct lp_swin_block *l, int64_t C,
                     bool bias) {
    struct lp_linear *each[3] = {&l->q, &l->k, &l->v};
    if (n->qkv_bias)
        lp_bind_stacked(b, n->qkv[0], bias ? n->qkv_bias : NULL, each, 3, C, C);
    for (int i = 0; i < 3 && !n->qkv_bias; i++)
        lp_bind_linear(b, n->qkv[i], each[i], C, C, bias);
}

static void bind_block(struct lp_bind *b, const struct names *n, const struct lp_swin_config *c,
                       int64_t stage, struct lp_swin_block *l) {
    int64_t C = lp_swin_channels(c, stage), F = (int64_t)(c->mlp_ratio * (double)C), size = 2 * c->window - 1;
    lp_bind_layer_norm(b, n->norm1, &l->norm1, C, c->eps);
    bind_qkv(b, n, l, C, c->qkv_bias);
    l->table = lp_bind_tensor(b, n->table, LP_BIND_EMBEDDING, 2, size * size, c->heads[stage]);
    lp_bind_linear(b, n->out, &l->out, C, C, true);
    lp_bind_layer_norm(b, n->norm2, &l->norm2, C, c->eps);
    lp_bind_linear(b, n->fc1, &l->fc1, C, F, true);
    lp_bind_linear(b, n->fc2, &l->fc2, F, C, true);
}

static bool bind_stage(struct lp_bind *b, const struct names *n, const struct lp_swin_config *c, int64_t i,
                       struct lp_swin_stage *s) {
    int64_t C = lp_swin_channels(c, i);
    size_t up = lp_bind_enter(b, "%s.%ld", n->stages, (long)i);
    s->block = lp_arena_array(b->arena, (size_t)c->depth[i], sizeof *s->block);
    for (int64_t j = 0; j < c->depth[i] && s->block; j++) {
        size_t block_up = lp_bind_enter(b, "blocks.%ld", (long)j);
        bind_block(b, n, c, i, &s->block[j]);
        lp_bind_leave(b, block_up);
    }
    if (i < c->stages - 1) {
        lp_bind_layer_norm(b, "downsample.norm", &s->merge_norm, 4 * C, outer_eps);
        lp_bind_linear(b, "downsample.reduction", &s->merge, 4 * C, 2 * C, false);
    }
    lp_bind_leave(b, up);
    if (c->gives[i]) {
        char name[64];
        snprintf(name, sizeof name, "%s%ld", n->level, (long)(i + n->first));
        lp_bind_layer_norm(b, name, &s->norm, C, outer_eps);
    }
    return s->block;
}

bool lp_swin_bind(struct lp_bind *b, const struct lp_swin_config *config, struct lp_swin *m) {
    const struct names *n = is_original(b) ? &original : &hugging_face;
    m->config = *config;
    m->stage = lp_arena_array(b->arena, (size_t)config->stages, sizeof *m->stage);
    if (!m->stage)
        return false;
    lp_bind_conv(b, n->patch, &m->patch, 3, config->width, config->patch_px, true);
    lp_bind_layer_norm(b, n->patch_norm, &m->patch_norm, config->width, outer_eps);
    for (int64_t i = 0; i < config->stages; i++)
        if (!bind_stage(b, n, config, i, &m->stage[i]))
            return false;
    return true;
}

/* ---- forward ---- */

static lp_tensor *zeros(lp_run *r, int ndim, const int64_t dim[4]) {
    lp_tensor *x = lp_new(r, ndim, dim[0], dim[1], dim[2], dim[3]);
    if (x)
        memset(lp_f32(x), 0, sizeof(float) * (size_t)lp_count(x));
    return x;
}

/* Sides that are whole multiples of P: zeros at the right and at the bottom. */
static lp_tensor *pad(lp_run *r, lp_tensor *pixels, int64_t P) {
    int64_t H = lp_dim(pixels, 2), W = lp_dim(pixels, 3), wide = (W + P - 1) / P * P,
            high = (H + P - 1) / P * P;
    if (high == H && wide == W)
        return pixels;
    lp_tensor *y = zeros(r, 4, (const int64_t[]){1, 3, high, wide});
    for (int64_t i = 0; i < 3 * H && y; i++)
        memcpy(lp_f32(y) + (i / H * high + i % H) * wide, lp_f32(pixels) + i * W, sizeof(float) * (size_t)W);
    return y;
}

/* Section 3.2, equation 3: windows in every other block are shifted by half a window. */
static lp_tensor *block_forward(lp_run *r, const struct lp_swin *m, int64_t stage, int64_t i, lp_tensor *x,
                                int64_t H, int64_t W) { /* x [H*W,C] */
    const struct lp_swin_block *l = &m->stage[stage].block[i];
    int64_t side = m->config.window, shift = i % 2 ? side / 2 : 0;
    struct lp_window_settings s = {.heads = m->config.heads[stage],
                                   .side = side,
                                   .rows = (H + side - 1) / side,
                                   .columns = (W + side - 1) / side,
                                   .shift = shift};
    lp_mark start = lp_here(r);
    lp_tensor *h = lp_windows(r, lp_norm(r, &l->norm1, x), H, W, side, shift);
    h = lp_keep(r, start, h);
    lp_tensor *q = lp_linear(r, &l->q, h), *k = lp_linear(r, &l->k, h), *v = lp_linear(r, &l->v, h);
    h = lp_keep(r, start, lp_window_attention(r, q, k, v, l->table, &s));
    h = lp_linear(r, &l->out, lp_unwindows(r, h, H, W, side, shift));
    x = lp_keep(r, start, lp_add(r, x, h));
    h = lp_mlp(r, &l->fc1, &l->fc2, m->config.act, lp_norm(r, &l->norm2, x));
    return lp_keep(r, start, lp_add(r, x, h));
}

/* Four neighbours become one place, column after column: [H*W,C] -> [ceil(H/2)*ceil(W/2),2C]. */
static lp_tensor *merge(lp_run *r, const struct lp_swin_stage *s, lp_tensor *x, int64_t H, int64_t W) {
    int64_t h = (H + 1) / 2, w = (W + 1) / 2, n = 4 * h * w;
    int32_t *index = lp_run_alloc(r, sizeof *index * (size_t)n);
    if (!x || !index)
        return NULL;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = i / 4 / w * 2 + i % 2, column = i / 4 % w * 2 + i / 2 % 2;
        index[i] = row < H && column < W ? (int32_t)(row * W + column) : -1;
    }
    lp_tensor *zero = zeros(r, 2, (const int64_t[4]){1, lp_dim(x, -1)});
    lp_tensor *four = lp_pick_rows(r, x, zero, index, n);
    if (!four)
        return NULL;
    four = lp_view(r, four, 2, h * w, 4 * lp_dim(x, -1));
    return lp_linear(r, &s->merge, lp_norm(r, &s->merge_norm, four));
}

/* Room for the maps first, so that all between can be freed. */
static bool make_levels(lp_run *r, const struct lp_swin_config *c, int64_t H, int64_t W,
                        struct lp_swin_level level[LP_SWIN_MOST_STAGES]) {
    for (int64_t i = 0; i < c->stages; i++) {
        level[i] = (struct lp_swin_level){.H = H, .W = W};
        if (c->gives[i] && !(level[i].x = lp_new(r, 2, H * W, lp_swin_channels(c, i))))
            return false;
        H = (H + 1) / 2;
        W = (W + 1) / 2;
    }
    return true;
}

bool lp_swin_levels(lp_run *r, const struct lp_swin *m, lp_tensor *pixels,
                    struct lp_swin_level level[LP_SWIN_MOST_STAGES]) {
    const struct lp_swin_config *c = &m->config;
    char text[LP_SHAPE_TEXT];
    memset(level, 0, LP_SWIN_MOST_STAGES * sizeof *level);
    if (!lp_enter(r, "swin"))
        return false;
    if (pixels->ndim != 4 || lp_dim(pixels, 0) != 1 || lp_dim(pixels, 1) != 3 || lp_count(pixels) < 1)
        return lp_fail(r, LP_ESHAPE, "pixels are %s, not [1,3,height,width]", lp_shape_text(pixels, text));
    int64_t P = c->patch_px;
    if (!make_levels(r, c, (lp_dim(pixels, 2) + P - 1) / P, (lp_dim(pixels, 3) + P - 1) / P, level))
        return false;
    lp_mark start = lp_here(r);
    lp_tensor *x = pad(r, pixels, P);
    x = x ? lp_norm(r, &m->patch_norm, lp_linear(r, &m->patch, lp_patches(r, x, P))) : NULL;
    x = lp_keep(r, start, x); /* [H*W,C] */
    for (int64_t i = 0; i < c->stages; i++) {
        int64_t H = level[i].H, W = level[i].W;
        for (int64_t j = 0; j < c->depth[i]; j++)
            x = block_forward(r, m, i, j, x, H, W);
        lp_mark here = lp_here(r);
        lp_tensor *out = c->gives[i] ? lp_norm(r, &m->stage[i].norm, x) : NULL;
        if (out)
            memcpy(lp_f32(level[i].x), lp_f32(out), sizeof(float) * (size_t)lp_count(out));
        lp_back_to(r, here);
        if (i < c->stages - 1)
            x = lp_keep(r, start, merge(r, &m->stage[i], x, H, W));
    }
    lp_back_to(r, start);
    return !r->error.code;
}
