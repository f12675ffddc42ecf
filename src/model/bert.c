/* SPDX-License-Identifier: MIT */
/* model/bert.c - BERT, Devlin et al. 2018, arXiv:1810.04805, section 3; its layers are those of Vaswani et
 * al. 2017, arXiv:1706.03762, section 3.1: norms behind the sums. ids, positions [n] --three tables, norm-->
 * [n,C] --layers--> [n,C] Weight names: Hugging Face transformers, models/bert/modeling_bert.py, BertModel.
 * The pooler is not loaded: nobody asks for it here. Which rows see each other is given as stretches;
 * Grounding DINO's sub-sentence mask (Liu et al. 2023, arXiv:2303.05499, section 3.4) is such
 * (text/phrases.h). All rows are of the first token type. */
#include "model/bert.h"

#include <stdio.h>
#include <string.h>

struct lp_bert_layer {
    struct lp_linear q, k, v, out; /* [C,C] */
    struct lp_norm attention_norm; /* [C] */
    struct lp_linear up, down;     /* [F,C], [C,F] */
    struct lp_norm norm;           /* [C] */
};

bool lp_bert_read_config(const json_t *config, struct lp_bert_config *c, struct lp_error *err) {
    const char *act, *kind;
    double eps;
    bool ok = lp_json_int(config, "vocab_size", 30522, 1, 1 << 24, &c->vocabulary, err) &&
              lp_json_int(config, "max_position_embeddings", 512, 1, 1 << 20, &c->positions, err) &&
              lp_json_int(config, "type_vocab_size", 2, 1, 1024, &c->types, err) &&
              lp_json_int(config, "hidden_size", 768, 1, 1 << 16, &c->hidden, err) &&
              lp_json_int(config, "num_hidden_layers", 12, 1, 1024, &c->layers, err) &&
              lp_json_int(config, "num_attention_heads", 12, 1, 1024, &c->heads, err) &&
              lp_json_int(config, "intermediate_size", 3072, 1, 1 << 18, &c->ffn, err) &&
              lp_json_number(config, "layer_norm_eps", 1e-12, &eps, err) &&
              lp_json_string(config, "hidden_act", "gelu", &act, err) &&
              lp_json_string(config, "position_embedding_type", "absolute", &kind, err);
    if (!ok)
        return false;
    c->eps = (float)eps;
    if (!(c->eps > 0 && c->eps < 1))
        return lp_error_set(err, LP_EINPUT, "'layer_norm_eps' must be above 0 and below 1");
    if (c->hidden % c->heads)
        return lp_error_set(err, LP_EINPUT, "'hidden_size' %ld does not divide into %ld heads",
                            (long)c->hidden, (long)c->heads);
    if (strcmp(act, "gelu") != 0)
        return lp_error_set(err, LP_EINPUT, "'hidden_act' is '%.40s'; gelu is known", act);
    if (strcmp(kind, "absolute") != 0 || json_is_true(json_object_get(config, "is_decoder")) ||
        json_is_true(json_object_get(config, "add_cross_attention")))
        return lp_error_set(err, LP_EINPUT, "this BERT is no plain encoder with absolute positions");
    return true;
}

const char *lp_bert_prefix(const struct lp_weights *files) {
    static const char *const prefixes[] = {"model.text_backbone", "text_backbone", "module.bert", "bert", ""};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        char name[100];
        snprintf(name, sizeof name, "%s%sembeddings.word_embeddings.weight", prefixes[i],
                 *prefixes[i] ? "." : "");
        if (lp_weights_find(files, name))
            return prefixes[i];
    }
    return NULL;
}

static void bind_layer(struct lp_bind *b, struct lp_bert_layer *l, const struct lp_bert_config *c,
                       int64_t i) {
    int64_t C = c->hidden;
    size_t up = lp_bind_enter(b, "encoder.layer.%ld", (long)i);
    lp_bind_linear(b, "attention.self.query", &l->q, C, C, true);
    lp_bind_linear(b, "attention.self.key", &l->k, C, C, true);
    lp_bind_linear(b, "attention.self.value", &l->v, C, C, true);
    lp_bind_linear(b, "attention.output.dense", &l->out, C, C, true);
    lp_bind_layer_norm(b, "attention.output.LayerNorm", &l->attention_norm, C, c->eps);
    lp_bind_linear(b, "intermediate.dense", &l->up, C, c->ffn, true);
    lp_bind_linear(b, "output.dense", &l->down, c->ffn, C, true);
    lp_bind_layer_norm(b, "output.LayerNorm", &l->norm, C, c->eps);
    lp_bind_leave(b, up);
}

bool lp_bert_bind(struct lp_bind *b, const char *prefix, const struct lp_bert_config *config,
                  struct lp_bert *m) {
    int64_t C = config->hidden;
    m->config = *config;
    m->depth = config->layers;
    m->layer = lp_arena_array(b->arena, (size_t)m->depth, sizeof *m->layer);
    if (!m->layer)
        return false;
    size_t up = *prefix ? lp_bind_enter(b, "%s", prefix) : strlen(b->prefix);
    m->word =
        lp_bind_tensor(b, "embeddings.word_embeddings.weight", LP_BIND_EMBEDDING, 2, config->vocabulary, C);
    m->position = lp_bind_tensor(b, "embeddings.position_embeddings.weight", LP_BIND_EMBEDDING, 2,
                                 config->positions, C);
    m->type =
        lp_bind_tensor(b, "embeddings.token_type_embeddings.weight", LP_BIND_EMBEDDING, 2, config->types, C);
    lp_bind_layer_norm(b, "embeddings.LayerNorm", &m->norm, C, config->eps);
    for (int64_t i = 0; i < m->depth; i++)
        bind_layer(b, &m->layer[i], config, i);
    lp_bind_leave(b, up);
    return true;
}

lp_tensor *lp_bert_embed(lp_run *r, const struct lp_bert *m, const struct lp_bert_rows *rows) {
    if (!lp_enter(r, "bert"))
        return NULL;
    int32_t *type = lp_run_alloc(r, sizeof(int32_t) * (size_t)rows->n); /* the tape may ask for it again */
    if (!type)
        return NULL;
    memset(type, 0, sizeof(int32_t) * (size_t)rows->n);
    for (int64_t i = 0; i < rows->n; i++)
        if (rows->position[i] < 0 || rows->position[i] >= m->config.positions)
            return lp_fail(r, LP_EINPUT,
                           "a phrase has more than the %ld tokens that the model has places for",
                           (long)m->config.positions);
    lp_mark mark = lp_here(r);
    lp_tensor *x = lp_embedding(r, m->word, rows->id, rows->n);
    x = lp_add(r, x, lp_embedding(r, m->type, type, rows->n));
    x = lp_add(r, x, lp_embedding(r, m->position, rows->position, rows->n));
    return lp_keep(r, mark, lp_norm(r, &m->norm, x));
}

/* What one layer needs to run, and to run again. */
struct layer_run {
    const struct lp_bert_layer *layer;
    struct lp_attention_settings s;
};

static lp_tensor *layer_forward(lp_run *r, const void *settings, lp_tensor *x) { /* x [n,C] */
    const struct layer_run *run = settings;
    const struct lp_bert_layer *l = run->layer;
    lp_mark m = lp_here(r);
    lp_tensor *q = lp_linear(r, &l->q, x), *k = lp_linear(r, &l->k, x), *v = lp_linear(r, &l->v, x);
    lp_tensor *seen = lp_linear(r, &l->out, lp_attention(r, q, k, v, &run->s));
    x = lp_norm(r, &l->attention_norm, lp_add(r, seen, x));
    lp_tensor *h = lp_act(r, lp_linear(r, &l->up, x), LP_GELU); /* [n,F] */
    x = lp_norm(r, &l->norm, lp_add(r, lp_linear(r, &l->down, h), x));
    return lp_keep(r, m, x);
}

lp_tensor *lp_bert_forward(lp_run *r, const struct lp_bert *m, const struct lp_bert_rows *rows) {
    struct lp_attention_settings s = {
        .heads = m->config.heads, .key_heads = m->config.heads, .start = rows->start, .count = rows->count};
    lp_tensor *x = lp_bert_embed(r, m, rows);
    for (int64_t i = 0; i < m->depth; i++)
        x = lp_checkpoint(r, layer_forward, &(struct layer_run){&m->layer[i], s}, sizeof(struct layer_run),
                          x);
    return x;
}
