/* SPDX-License-Identifier: MIT */
/* Layers: weights and the op that uses them. Shared by the models. */
#ifndef LP_NN_LAYERS_H
#define LP_NN_LAYERS_H

#include "nn/bind.h"
#include "op/op.h"

/* A change of low rank: scale (x down^T) up^T. */
struct lp_lora {
    lp_tensor *down, *up; /* [rank,in], [out,rank] */
    float scale;
};

/* y = x w^T + b, and the change where there is one. */
struct lp_linear {
    lp_tensor *w; /* [out,in] */
    lp_tensor *b; /* [out] or NULL */
    const struct lp_lora *lora; /* or NULL */
};
void lp_bind_linear(struct lp_bind *b, const char *name, struct lp_linear *l, int64_t in, int64_t out, bool bias);
lp_tensor *lp_linear(lp_run *r, const struct lp_linear *l, lp_tensor *x);

/* Layer norm, or RMS norm where b is NULL. */
struct lp_norm {
    lp_tensor *w, *b; /* [C] */
    float eps;
};
void lp_bind_layer_norm(struct lp_bind *b, const char *name, struct lp_norm *n, int64_t C, float eps);
void lp_bind_rms_norm(struct lp_bind *b, const char *name, struct lp_norm *n, int64_t C, float eps);
lp_tensor *lp_norm(lp_run *r, const struct lp_norm *n, lp_tensor *x);

/* Keys and values of past positions, one pair a layer; lives with a conversation. */
struct lp_kv_cache {
    int64_t layers, width, limit; /* width = key heads * head size; limit in rows */
    int64_t rows;                 /* filled so far */
    float *data;                  /* [layers,2,limit,width], reserved: pages are taken as rows are filled */
    size_t bytes;
};
int64_t lp_kv_cache_bytes(int64_t layers, int64_t width, int64_t limit); /* when it is full */
bool lp_kv_cache_init(struct lp_kv_cache *c, int64_t layers, int64_t width, int64_t limit, struct lp_error *err);
void lp_kv_cache_done(struct lp_kv_cache *c);

/* Writes k and v [T,width] behind the rows filled so far and returns views of all [rows+T,width]; the caller
 * advances c->rows once every layer has written. */
bool lp_kv_cache_append(lp_run *r, struct lp_kv_cache *c, int64_t layer, lp_tensor **k, lp_tensor **v);

#endif
