/* SPDX-License-Identifier: MIT */
/* model/llama.c - LLaMA, Touvron et al. 2023, arXiv:2302.13971, section 2.2.
 *   ids [T] --table--> [T,C] --blocks: RMS norm, attention with rotary positions, SwiGLU--> [T,C] --> logits [T,V]
 * Weight names: Hugging Face transformers, models/llama/modeling_llama.py. */
#include "model/llama.h"

#include "base/json.h"

#include <string.h>

struct lp_llama_block {
    struct lp_norm norm1, norm2;   /* [C] */
    struct lp_linear q, k, v, out; /* [H*D,C], [G*D,C], [G*D,C], [C,H*D] */
    struct lp_linear gate, up, down; /* [F,C], [F,C], [C,F] */
};

/* Older files say rope_theta, newer ones rope_parameters.rope_theta. Scaled positions are another model. */
static bool read_theta(const json_t *config, float *theta, struct lp_error *err) {
    double value;
    const json_t *newer = json_object_get(config, "rope_parameters");
    const json_t *scaling = json_object_get(config, "rope_scaling");
    if (json_is_object(scaling))
        return lp_error_set(err, LP_EINPUT, "'rope_scaling' is not supported");
    if (!lp_json_number(config, "rope_theta", 10000, &value, err) ||
        (json_is_object(newer) && !lp_json_number(newer, "rope_theta", value, &value, err)))
        return false;
    if (!(value >= 1 && value <= 1e12))
        return lp_error_set(err, LP_EINPUT, "'rope_theta' must be 1 to 1e12");
    *theta = (float)value;
    return true;
}

bool lp_llama_read_config(const json_t *config, struct lp_llama_config *c, struct lp_error *err) {
    double eps;
    bool ok = lp_json_int(config, "hidden_size", 4096, 1, 1 << 16, &c->hidden, err) &&
              lp_json_int(config, "num_hidden_layers", 32, 1, 1024, &c->layers, err) &&
              lp_json_int(config, "num_attention_heads", 32, 1, 1024, &c->heads, err) &&
              lp_json_int(config, "num_key_value_heads", c->heads, 1, 1024, &c->key_heads, err) &&
              lp_json_int(config, "intermediate_size", 11008, 1, 1 << 18, &c->ffn, err) &&
              lp_json_int(config, "vocab_size", 32000, 1, 1 << 22, &c->vocabulary, err) &&
              lp_json_int(config, "max_position_embeddings", 2048, 1, 1 << 24, &c->context, err) &&
              lp_json_number(config, "rms_norm_eps", 1e-6, &eps, err) && read_theta(config, &c->theta, err);
    if (!ok)
        return false;
    c->eps = (float)eps;
    if (!(c->eps > 0 && c->eps < 1))
        return lp_error_set(err, LP_EINPUT, "'rms_norm_eps' must be above 0 and below 1");
    c->tied = json_is_true(json_object_get(config, "tie_word_embeddings"));
    if (c->hidden % (2 * c->heads) || c->heads % c->key_heads)
        return lp_error_set(err, LP_EINPUT, "'hidden_size' %ld, %ld heads and %ld key heads do not fit each other",
                            (long)c->hidden, (long)c->heads, (long)c->key_heads);
    return true;
}

static void bind_block(struct lp_bind *b, struct lp_llama_block *l, const struct lp_llama_config *c, int64_t i) {
    int64_t C = c->hidden, K = C / c->heads * c->key_heads;
    size_t up = lp_bind_enter(b, "layers.%ld", (long)i);
    lp_bind_rms_norm(b, "input_layernorm", &l->norm1, C, c->eps);
    lp_bind_linear(b, "self_attn.q_proj", &l->q, C, C, false);
    lp_bind_linear(b, "self_attn.k_proj", &l->k, C, K, false);
    lp_bind_linear(b, "self_attn.v_proj", &l->v, C, K, false);
    lp_bind_linear(b, "self_attn.o_proj", &l->out, C, C, false);
    lp_bind_rms_norm(b, "post_attention_layernorm", &l->norm2, C, c->eps);
    lp_bind_linear(b, "mlp.gate_proj", &l->gate, C, c->ffn, false);
    lp_bind_linear(b, "mlp.up_proj", &l->up, C, c->ffn, false);
    lp_bind_linear(b, "mlp.down_proj", &l->down, c->ffn, C, false);
    lp_bind_leave(b, up);
}

bool lp_llama_bind(struct lp_bind *b, const struct lp_llama_config *config, const char *model, const char *head,
                   struct lp_llama *m) {
    m->config = *config;
    m->block = lp_arena_array(b->arena, (size_t)config->layers, sizeof *m->block);
    if (!m->block)
        return false;
    size_t up = lp_bind_enter(b, "%s", model);
    m->embedding = lp_bind_tensor(b, "embed_tokens.weight", config->tied ? LP_BIND_MATRIX : LP_BIND_TABLE, 2,
                                  config->vocabulary, config->hidden);
    for (int64_t i = 0; i < config->layers; i++)
        bind_block(b, &m->block[i], config, i);
    lp_bind_rms_norm(b, "norm", &m->norm, config->hidden, config->eps);
    lp_bind_leave(b, up);
    if (config->tied)
        m->head = (struct lp_linear){m->embedding, NULL, NULL};
    else
        lp_bind_linear(b, head, &m->head, config->hidden, config->vocabulary, false);
    return true;
}

enum lp_dtype lp_llama_cache_type(const struct lp_llama *m) {
    return m->block->k.w->type == LP_F32 ? LP_F32 : LP_F16;
}

/* Attention of rows that each go on a sequence of their own. */
static lp_tensor *attend_each(lp_run *r, int64_t layer, lp_tensor *q, lp_tensor *k, lp_tensor *v,
                              const struct lp_attention_settings *s, struct lp_kv_cache *const *each) {
    if (!lp_enter(r, "attention"))
        return NULL;
    lp_tensor *y = lp_like(r, q);
    int64_t C = lp_dim(q, -1);
    for (int64_t i = 0; y && i < lp_rows(q); i++) {
        lp_mark mark = lp_here(r);
        lp_tensor *past_k = lp_view_rows(r, k, i, 1), *past_v = lp_view_rows(r, v, i, 1);
        if (!lp_kv_cache_append(r, each[i], layer, &past_k, &past_v))
            return NULL;
        const lp_tensor *out = lp_attention(r, lp_view_rows(r, q, i, 1), past_k, past_v, s);
        if (!out)
            return NULL;
        memcpy(lp_f32(y) + i * C, lp_f32(out), sizeof(float) * (size_t)C);
        lp_back_to(r, mark);
    }
    return y;
}

static lp_tensor *attention(lp_run *r, const struct lp_llama *m, const struct lp_llama_block *l, int64_t layer,
                            lp_tensor *x, const struct lp_llama_rows *rows) {
    const struct lp_llama_config *c = &m->config;
    struct lp_attention_settings s = {c->heads, c->key_heads, true, rows->start, rows->count};
    lp_tensor *qkv[3];
    lp_linears(r, 3, (const struct lp_linear *[]){&l->q, &l->k, &l->v}, x, qkv);
    lp_tensor *q = lp_rope(r, qkv[0], rows->position, c->heads, c->theta);
    lp_tensor *k = lp_rope(r, qkv[1], rows->position, c->key_heads, c->theta), *v = qkv[2];
    if (rows->each)
        return lp_linear(r, &l->out, attend_each(r, layer, q, k, v, &s, rows->each));
    if (rows->cache && !lp_kv_cache_append(r, rows->cache, layer, &k, &v))
        return NULL;
    return lp_linear(r, &l->out, lp_attention(r, q, k, v, &s));
}

static lp_tensor *mlp(lp_run *r, const struct lp_llama_block *l, lp_tensor *x) {
    lp_tensor *wide[2];
    lp_linears(r, 2, (const struct lp_linear *[]){&l->gate, &l->up}, x, wide);
    return lp_linear(r, &l->down, lp_swiglu(r, wide[0], wide[1]));
}

void lp_llama_linears(const struct lp_llama *m, int64_t layer, struct lp_linear *linear[LP_LLAMA_LINEARS]) {
    struct lp_llama_block *l = &m->block[layer];
    struct lp_linear *all[LP_LLAMA_LINEARS] = {&l->q, &l->k, &l->v, &l->out, &l->gate, &l->up, &l->down};
    memcpy(linear, all, sizeof all);
}

/* What one block needs to run, and to run again. */
struct block_run {
    const struct lp_llama *model;
    int64_t layer;
    struct lp_llama_rows rows;
};

static lp_tensor *block_forward(lp_run *r, const void *settings, lp_tensor *x) {
    const struct block_run *b = settings;
    const struct lp_llama_block *l = &b->model->block[b->layer];
    lp_mark mark = lp_here(r);
    x = lp_keep(r, mark, lp_add(r, x, attention(r, b->model, l, b->layer, lp_norm(r, &l->norm1, x), &b->rows)));
    return lp_keep(r, mark, lp_add(r, x, mlp(r, l, lp_norm(r, &l->norm2, x))));
}

lp_tensor *lp_llama_forward(lp_run *r, const struct lp_llama *m, lp_tensor *x, const struct lp_llama_rows *rows) {
    lp_mark mark = lp_here(r);
    for (int64_t i = 0; i < m->config.layers; i++)
        x = lp_keep(r, mark, lp_checkpoint(r, block_forward, &(struct block_run){m, i, *rows}, sizeof(struct block_run), x));
    if (rows->cache && x)
        rows->cache->rows += lp_rows(x);
    for (int64_t i = 0; rows->each && x && i < lp_rows(x); i++)
        rows->each[i]->rows++;
    return x;
}

lp_tensor *lp_llama_logits(lp_run *r, const struct lp_llama *m, lp_tensor *x) {
    return lp_linear(r, &m->head, lp_norm(r, &m->norm, x));
}
