/* SPDX-License-Identifier: MIT */
/* model/clip.c - CLIP's vision transformer, Radford et al. 2021, arXiv:2103.00020, section 2.4.
 *   pixels [n,3,S,S] --squares of P--> [n,p,C] --class token, positions--> [n,1+p,C] --blocks--> [n*p,C]
 * Weight names: Hugging Face transformers, models/clip/modeling_clip.py, CLIPVisionTransformer (its "pre_layrnorm"
 * is spelled so). LLaVA takes the hidden state before the last block, so the last block and the final norm are
 * not even loaded. */
#include "model/clip.h"

#include "base/json.h"

#include <string.h>

struct lp_clip_block {
    struct lp_norm norm1, norm2;       /* [C] */
    struct lp_linear q, k, v, out;     /* [C,C] */
    struct lp_linear fc1, fc2;         /* [F,C], [C,F] */
};

static bool read_act(const json_t *config, enum lp_act *act, struct lp_error *err) {
    const char *name;
    if (!lp_json_string(config, "hidden_act", "quick_gelu", &name, err))
        return false;
    if (!strcmp(name, "quick_gelu"))
        *act = LP_QUICK_GELU;
    else if (!strcmp(name, "gelu"))
        *act = LP_GELU;
    else
        return lp_error_set(err, LP_EINPUT, "'hidden_act' is '%s'; quick_gelu and gelu are known", name);
    return true;
}

bool lp_clip_read_config(const json_t *config, struct lp_clip_config *c, struct lp_error *err) {
    double eps;
    bool ok = lp_json_int(config, "hidden_size", 768, 1, 1 << 16, &c->hidden, err) &&
              lp_json_int(config, "num_hidden_layers", 12, 1, 1024, &c->layers, err) &&
              lp_json_int(config, "num_attention_heads", 12, 1, 1024, &c->heads, err) &&
              lp_json_int(config, "intermediate_size", 3072, 1, 1 << 18, &c->ffn, err) &&
              lp_json_int(config, "image_size", 224, 1, 4096, &c->image_px, err) &&
              lp_json_int(config, "patch_size", 32, 1, 4096, &c->patch_px, err) &&
              lp_json_number(config, "layer_norm_eps", 1e-5, &eps, err) && read_act(config, &c->act, err);
    if (!ok)
        return false;
    c->eps = (float)eps;
    if (!(c->eps > 0 && c->eps < 1))
        return lp_error_set(err, LP_EINPUT, "'layer_norm_eps' must be above 0 and below 1");
    if (c->hidden % c->heads)
        return lp_error_set(err, LP_EINPUT, "'hidden_size' %ld does not divide into %ld heads", (long)c->hidden,
                            (long)c->heads);
    if (c->patch_px > c->image_px)
        return lp_error_set(err, LP_EINPUT, "'patch_size' is larger than 'image_size'");
    return true;
}

int64_t lp_clip_patches(const struct lp_clip_config *c) {
    int64_t side = c->image_px / c->patch_px;
    return side * side;
}

static void bind_block(struct lp_bind *b, struct lp_clip_block *l, const struct lp_clip_config *c, int64_t i) {
    int64_t C = c->hidden;
    size_t up = lp_bind_enter(b, "encoder.layers.%ld", (long)i);
    lp_bind_layer_norm(b, "layer_norm1", &l->norm1, C, c->eps);
    lp_bind_linear(b, "self_attn.q_proj", &l->q, C, C, true);
    lp_bind_linear(b, "self_attn.k_proj", &l->k, C, C, true);
    lp_bind_linear(b, "self_attn.v_proj", &l->v, C, C, true);
    lp_bind_linear(b, "self_attn.out_proj", &l->out, C, C, true);
    lp_bind_layer_norm(b, "layer_norm2", &l->norm2, C, c->eps);
    lp_bind_linear(b, "mlp.fc1", &l->fc1, C, c->ffn, true);
    lp_bind_linear(b, "mlp.fc2", &l->fc2, c->ffn, C, true);
    lp_bind_leave(b, up);
}

bool lp_clip_bind(struct lp_bind *b, const struct lp_clip_config *config, int64_t depth, struct lp_clip *m) {
    int64_t C = config->hidden, P = config->patch_px;
    m->config = *config;
    m->depth = depth;
    m->block = lp_arena_array(b->arena, (size_t)depth, sizeof *m->block);
    if (!m->block)
        return false;
    m->class_embedding = lp_bind_tensor(b, "embeddings.class_embedding", LP_BIND_SHIFT, 1, C);
    m->patch.w = lp_bind_tensor(b, "embeddings.patch_embedding.weight", LP_BIND_MATRIX, 4, C, (int64_t)3, P, P);
    m->position = lp_bind_tensor(b, "embeddings.position_embedding.weight", LP_BIND_EMBEDDING, 2,
                                 1 + lp_clip_patches(config), C);
    lp_bind_layer_norm(b, "pre_layrnorm", &m->pre, C, config->eps);
    for (int64_t i = 0; i < depth; i++)
        bind_block(b, &m->block[i], config, i);
    return true;
}

static lp_tensor *attention(lp_run *r, const struct lp_clip_block *l, lp_tensor *x,
                            const struct lp_attention_settings *s) {
    lp_tensor *q = lp_linear(r, &l->q, x), *k = lp_linear(r, &l->k, x), *v = lp_linear(r, &l->v, x);
    return lp_linear(r, &l->out, lp_attention(r, q, k, v, s));
}

/* What one block needs to run, and to run again. */
struct block_run {
    const struct lp_clip_block *block;
    enum lp_act act;
    struct lp_attention_settings s;
};

static lp_tensor *block_forward(lp_run *r, const void *settings, lp_tensor *x) { /* x [n*(1+p),C] */
    const struct block_run *b = settings;
    const struct lp_clip_block *l = b->block;
    lp_mark m = lp_here(r);
    x = lp_keep(r, m, lp_add(r, x, attention(r, l, lp_norm(r, &l->norm1, x), &b->s)));
    lp_tensor *h = lp_act(r, lp_linear(r, &l->fc1, lp_norm(r, &l->norm2, x)), b->act);
    x = lp_add(r, x, lp_linear(r, &l->fc2, h));
    return lp_keep(r, m, x);
}

lp_tensor *lp_clip_features(lp_run *r, const struct lp_clip *m, lp_tensor *pixels) {
    lp_tensor *patches = lp_patches(r, pixels, m->config.patch_px); /* [n*p,3*P*P] */
    if (!patches)
        return NULL;
    int64_t p = lp_clip_patches(&m->config), n = lp_dim(pixels, 0), rows = n * (1 + p);
    int32_t *with_class = lp_run_alloc(r, sizeof(int32_t) * (size_t)rows);
    int32_t *no_class = lp_run_alloc(r, sizeof(int32_t) * (size_t)(n * p));
    int32_t *start = lp_run_alloc(r, sizeof(int32_t) * (size_t)(n + 1));
    if (!with_class || !no_class || !start)
        return NULL;
    start[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        start[i + 1] = (int32_t)((i + 1) * (1 + p));
        with_class[i * (1 + p)] = -1;
        for (int64_t j = 0; j < p; j++) {
            with_class[i * (1 + p) + 1 + j] = (int32_t)(i * p + j);
            no_class[i * p + j] = (int32_t)(i * (1 + p) + 1 + j);
        }
    }
    struct lp_attention_settings s = {m->config.heads, m->config.heads, false, start, n};
    lp_mark mark = lp_here(r);
    lp_tensor *x = lp_pick_rows(r, lp_linear(r, &m->patch, patches), m->class_embedding, with_class, rows);
    x = lp_norm(r, &m->pre, lp_add(r, x, m->position)); /* [n*(1+p),C] */
    for (int64_t i = 0; i < m->depth; i++)
        x = lp_keep(r, mark,
                    lp_checkpoint(r, block_forward, &(struct block_run){&m->block[i], m->config.act, s}, sizeof(struct block_run), x));
    return lp_keep(r, mark, lp_pick_rows(r, x, NULL, no_class, n * p));
}
