/* SPDX-License-Identifier: MIT */
/* LLaMA: the language model. */
#ifndef LP_MODEL_LLAMA_H
#define LP_MODEL_LLAMA_H

#include "base/json.h"
#include "nn/layers.h"

struct lp_llama_config {
    int64_t hidden, layers, heads, key_heads, ffn, vocabulary, context;
    float eps, theta;
    bool tied; /* the output matrix is the embedding table */
};

struct lp_llama_block;
struct lp_llama {
    struct lp_llama_config config;
    lp_tensor *embedding; /* [V,C] */
    struct lp_llama_block *block;
    struct lp_norm norm;
    struct lp_linear head; /* [V,C] */
};

/* Sizes from a LLaMA config object; absent ones are LlamaConfig's defaults. */
bool lp_llama_read_config(const json_t *config, struct lp_llama_config *c, struct lp_error *err);

/* Binds below `model` ("language_model.model" or the like) and `head`. False when out of memory. */
bool lp_llama_bind(struct lp_bind *b, const struct lp_llama_config *config, const char *model, const char *head,
                   struct lp_llama *m);

/* The linear layers of a block: q, k, v, out, gate, up, down. */
enum { LP_LLAMA_LINEARS = 7 };
void lp_llama_linears(const struct lp_llama *m, int64_t layer, struct lp_linear *linear[LP_LLAMA_LINEARS]);

/* How keys and values are kept: in two bytes a number, but for float32 weights, which want their precision. */
enum lp_dtype lp_llama_cache_type(const struct lp_llama *m);

/* Where the rows of a forward pass stand. */
struct lp_llama_rows {
    const int32_t *position;   /* [T] */
    const int32_t *start;      /* sequences of a batch as in lp_attention; NULL: one */
    int64_t count;
    struct lp_kv_cache *cache; /* past rows of the one sequence; NULL: none. Its `rows` grow by T. */
    struct lp_kv_cache *const *each; /* instead: row i goes on a sequence of its own, each[i], which grows by 1 */
};

/* Embeddings x [T,C] -> hidden states after the last block, not yet normalised [T,C]. */
lp_tensor *lp_llama_forward(lp_run *r, const struct lp_llama *m, lp_tensor *x, const struct lp_llama_rows *rows);

/* Hidden states x [n,C] -> logits [n,V]. */
lp_tensor *lp_llama_logits(lp_run *r, const struct lp_llama *m, lp_tensor *x);

#endif
