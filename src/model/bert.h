/* SPDX-License-Identifier: MIT */
/* BERT's encoder. */
#ifndef LP_MODEL_BERT_H
#define LP_MODEL_BERT_H

#include "base/json.h"
#include "nn/layers.h"

struct lp_bert_config {
    int64_t vocabulary, positions, types; /* rows of the three tables */
    int64_t hidden, layers, heads, ffn;
    float eps;
};

struct lp_bert_layer;
struct lp_bert {
    struct lp_bert_config config;
    lp_tensor *word, *position, *type; /* [vocabulary,C], [positions,C], [types,C] */
    struct lp_norm norm;
    struct lp_bert_layer *layer; /* [depth] */
    int64_t depth;               /* layers that are run */
};

/* Sizes from the object of a BertConfig ("text_config" in a Grounding DINO's); absent ones, and those of
 * NULL, are BertConfig's defaults, bert-base-uncased. A model that is more than an encoder with learned
 * positions and erf GELU is LP_EINPUT. */
bool lp_bert_read_config(const json_t *config, struct lp_bert_config *c, struct lp_error *err);

/* What stands before BERT's weight names in these files: "model.text_backbone" (Hugging Face's Grounding
 * DINO), "text_backbone", "module.bert" (the original Grounding DINO), "bert" (heads on BERT) or ""
 * (BertModel). NULL where there is no BERT. */
const char *lp_bert_prefix(const struct lp_weights *files);

/* Binds below the binder's prefix, with `prefix` (may be "") entered first. False when out of memory. */
bool lp_bert_bind(struct lp_bind *b, const char *prefix, const struct lp_bert_config *config,
                  struct lp_bert *m);

/* Texts as rows, one behind the other; all borrowed while the tape lives. */
struct lp_bert_rows {
    const int32_t *id, *position; /* [n]; below vocabulary and positions */
    int64_t n;
    const int32_t *start; /* [count+1]: rows start[i]..start[i+1]-1 see each other and no others */
    int64_t count;
};

/* Embeddings behind their norm, -> [n,C]. An id or a position outside its table is LP_EINPUT. */
lp_tensor *lp_bert_embed(lp_run *r, const struct lp_bert *m, const struct lp_bert_rows *rows);
/* The last layer's output, -> [n,C]. */
lp_tensor *lp_bert_forward(lp_run *r, const struct lp_bert *m, const struct lp_bert_rows *rows);

#endif
