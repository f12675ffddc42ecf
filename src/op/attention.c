/* SPDX-License-Identifier: MIT */
/* op/attention.c - softmax(q k^T / sqrt(D)) v per head, heads sharing key heads where there are fewer of those.
 * q [T,H*D], k v [S,G*D] -> y [T,H*D].  Vaswani et al. 2017, arXiv:1706.03762; Ainslie et al. 2023 for G < H.
 * Nothing of size T*S is kept: the gradient computes the probabilities again from the log-sum-exp. */
#include "op/half.h"

#include <math.h>

static struct lp_attention_shape shape_of(const lp_run *r, const struct lp_attention_settings *s, int64_t T, int64_t S,
                                          int64_t D) {
    return (struct lp_attention_shape){.T = T, .S = S, .H = s->heads, .G = s->key_heads, .D = D,
                                       .q_stride = s->heads * D, .kv_stride = s->key_heads * D,
                                       .scale = 1 / sqrtf((float)D), .causal = s->causal, .rough = r->rough};
}

/* Rows of sequence i: first and count. */
static int64_t first_row(const struct lp_attention_settings *s, int64_t i) {
    return s->start ? s->start[i] : 0;
}

static void backward(struct lp_node *n) { /* saved [T,H] = log-sum-exp */
    lp_run *r = n->run;
    const struct lp_attention_settings *s = n->settings;
    lp_tensor *q = n->in[0], *k = n->in[1], *v = n->in[2];
    int64_t C = lp_dim(q, -1), D = C / s->heads, CK = lp_dim(k, -1);
    float *dq = lp_grad(r, q), *dk = lp_grad(r, k), *dv = lp_grad(r, v);
    if (!dq || !dk || !dv) { /* all three come from one x: they learn together */
        lp_fail(r, LP_EINTERNAL, "attention learns through q, k and v or not at all");
        return;
    }
    lp_mark m = lp_here(r);
    const float *qs = lp_wide(r, q), *ks = lp_wide(r, k), *vs = lp_wide(r, v), *out = lp_wide(r, n->out);
    if (!qs || !ks || !vs || !out)
        return;
    for (int64_t i = 0; i < (s->start ? s->count : 1); i++) {
        int64_t at = first_row(s, i), T = s->start ? s->start[i + 1] - at : lp_rows(q);
        struct lp_attention_shape shape = shape_of(r, s, T, s->start ? T : lp_rows(k), D);
        r->k->attention_grad(dq + at * C, dk + at * CK, dv + at * CK, n->out->grad + at * C, out + at * C,
                             lp_f32(n->saved) + at * s->heads, qs + at * C, ks + at * CK, vs + at * CK, &shape);
    }
    lp_back_to(r, m);
}

/* A conversation goes on: its past is read as it is kept. More queries are worth a float32 copy of it. */
static lp_tensor *attend_kept(lp_run *r, lp_tensor *q, lp_tensor *k, lp_tensor *v, const struct lp_attention_settings *s) {
    lp_tensor *y = lp_like(r, q);
    struct lp_attention_shape shape = shape_of(r, s, lp_rows(q), lp_rows(k), lp_dim(q, -1) / s->heads);
    if (y)
        r->k->attention_half(lp_f32(y), lp_f32(q), k->data, v->data, &shape);
    return y;
}

lp_tensor *lp_attention(lp_run *r, lp_tensor *q, lp_tensor *k, lp_tensor *v, const struct lp_attention_settings *s) {
    if (!lp_enter(r, "attention"))
        return NULL;
    int64_t C = lp_dim(q, -1), D = C / s->heads, CK = lp_dim(k, -1);
    char q_text[LP_SHAPE_TEXT], k_text[LP_SHAPE_TEXT];
    if (C % s->heads || CK != D * s->key_heads || s->heads % s->key_heads || !lp_same_shape(k, v) ||
        (s->start && lp_rows(q) != lp_rows(k)) || (s->causal && lp_rows(q) > lp_rows(k)))
        return lp_fail(r, LP_ESHAPE, "q is %s, k is %s, for %ld heads", lp_shape_text(q, q_text), lp_shape_text(k, k_text),
                       (long)s->heads);
    if (k->type == LP_F16 && lp_rows(q) <= LP_FEW_QUERIES)
        return attend_kept(r, q, k, v, s);
    lp_tensor *y = lp_like_kept(r, q), *lse = lp_new(r, 2, lp_rows(q), s->heads);
    lp_mark m = lp_here(r);
    const float *qs = lp_wide(r, q), *ks = lp_wide(r, k), *vs = lp_wide(r, v);
    float *out = lp_wide_of(r, y);
    if (!lse || !qs || !ks || !vs || !out)
        return NULL;
    for (int64_t i = 0; i < (s->start ? s->count : 1); i++) {
        int64_t at = first_row(s, i), T = s->start ? s->start[i + 1] - at : lp_rows(q);
        struct lp_attention_shape shape = shape_of(r, s, T, s->start ? T : lp_rows(k), D);
        r->k->attention(out + at * C, lp_f32(lse) + at * s->heads, qs + at * C, ks + at * CK, vs + at * CK, &shape);
    }
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, lse, q, k, v, s, sizeof *s);
}
