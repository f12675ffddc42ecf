/* SPDX-License-Identifier: MIT */
/* op/layer_norm.c - y = (x - mean) / sqrt(var + eps) * w + b over the last axis.
 * x [..,C], w b [C] -> y [..,C].  Ba, Kiros, Hinton 2016, arXiv:1607.06450. */
#include "op/half.h"

static void backward(struct lp_node *n) { /* saved [rows,2] = mean, 1/std */
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w), *db = lp_grad(r, b);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    if (in)
        r->k->layer_norm_grad(dx, dw, db, n->out->grad, in, lp_f32(w), lp_f32(n->saved), lp_rows(x), lp_dim(x, -1));
    lp_back_to(r, m);
}

lp_tensor *lp_layer_norm(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, float eps) {
    if (!lp_enter(r, "layer_norm"))
        return NULL;
    int64_t C = lp_dim(x, -1);
    if (lp_count(w) != C || lp_count(b) != C)
        return lp_fail(r, LP_ESHAPE, "x has %ld channels, w has %ld", (long)C, (long)lp_count(w));
    lp_tensor *y = lp_like_kept(r, x), *stat = lp_new(r, 2, lp_rows(x), (int64_t)2);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!stat || !in || !out)
        return NULL;
    r->k->layer_norm(out, lp_f32(stat), in, lp_f32(w), lp_f32(b), lp_rows(x), C, eps);
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, stat, x, w, b, NULL, 0);
}
