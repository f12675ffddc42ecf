/* SPDX-License-Identifier: MIT */
/* op/rms_norm.c - y = x / sqrt(mean(x^2) + eps) * w over the last axis.
 * x [..,C], w [C] -> y [..,C].  Zhang, Sennrich 2019, arXiv:1910.07467. */
#include "op/op.h"

static void backward(struct lp_node *n) { /* saved [rows] = 1/rms */
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1];
    r->k->rms_norm_grad(lp_grad(r, x), lp_grad(r, w), n->out->grad, lp_f32(x), lp_f32(w), lp_f32(n->saved),
                        lp_rows(x), lp_dim(x, -1));
}

lp_tensor *lp_rms_norm(lp_run *r, lp_tensor *x, lp_tensor *w, float eps) {
    if (!lp_enter(r, "rms_norm"))
        return NULL;
    int64_t C = lp_dim(x, -1);
    if (lp_count(w) != C)
        return lp_fail(r, LP_ESHAPE, "x has %ld channels, w has %ld", (long)C, (long)lp_count(w));
    lp_tensor *y = lp_like(r, x), *stat = lp_new(r, 1, lp_rows(x));
    if (!y || !stat)
        return NULL;
    r->k->rms_norm(lp_f32(y), lp_f32(stat), lp_f32(x), lp_f32(w), lp_rows(x), C, eps);
    return lp_record(r, backward, y, stat, x, w, NULL, NULL, 0);
}
