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
/* y[i] = lp_linear(r, l[i], x), n <= LP_PRODUCTS: packed matrices of one kind are multiplied at once. */
void lp_linears(lp_run *r, int n, const struct lp_linear *const l[], lp_tensor *x, lp_tensor *y[]);
/* A convolution's weight [out,in,kernel,kernel]: the linear layer over what lp_unfold or lp_patches makes. */
void lp_bind_conv(struct lp_bind *b, const char *name, struct lp_linear *l, int64_t in, int64_t out, int64_t kernel,
                  bool bias);

/* n layers of in -> out that may lie in the files as one weight and one bias (NULL: none), one above the other; these
 * are named whole: "attn.qkv.weight". */
void lp_bind_stacked(struct lp_bind *b, const char *weight, const char *bias, struct lp_linear *const layer[], int n,
                     int64_t in, int64_t out);

/* fc2(act(fc1(x))), in stretches of rows, so that the hidden layer is never whole. No gradient. */
lp_tensor *lp_mlp(lp_run *r, const struct lp_linear *fc1, const struct lp_linear *fc2, enum lp_act act, lp_tensor *x);

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
    enum lp_dtype type;           /* LP_F32 or LP_F16 */
    int64_t rows;                 /* filled so far */
    void *data;                   /* [layers,2,limit,width], reserved: pages are taken as rows are filled */
};
size_t lp_kv_cache_row_bytes(const struct lp_kv_cache *c); /* of a position */
/* Takes layers, width, limit and type from *c. LP_EMEMORY. */
bool lp_kv_cache_init(struct lp_kv_cache *c, struct lp_error *err);
void lp_kv_cache_done(struct lp_kv_cache *c);

/* Writes k and v [T,width] behind the rows filled so far and returns views of all [rows+T,width]; the caller
 * advances c->rows once every layer has written. */
bool lp_kv_cache_append(lp_run *r, struct lp_kv_cache *c, int64_t layer, lp_tensor **k, lp_tensor **v);

/* Copies `rows` filled rows from number `first` on: [layers,2,rows,width]; and such rows behind those filled so far,
 * advancing c->rows. False: they do not fit. */
void lp_kv_cache_save(const struct lp_kv_cache *c, int64_t first, int64_t rows, void *out);
bool lp_kv_cache_load(struct lp_kv_cache *c, const void *in, int64_t rows);

#endif
