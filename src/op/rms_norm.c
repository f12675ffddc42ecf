/* SPDX-License-Identifier: MIT */
/* op/rms_norm.c - y = x / sqrt(mean(x^2) + eps) * w over the last axis.
 * x [..,C], w [C] -> y [..,C].  Zhang, Sennrich 2019, arXiv:1910.07467. */
#include "op/half.h"

static void backward(struct lp_node *n) { /* saved [rows] = 1/rms */
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1];
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    if (in)
        r->k->rms_norm_grad(dx, dw, n->out->grad, in, lp_f32(w), lp_f32(n->saved), lp_rows(x), lp_dim(x, -1));
    lp_back_to(r, m);
}

lp_tensor *lp_rms_norm(lp_run *r, lp_tensor *x, lp_tensor *w, float eps) {
    if (!lp_enter(r, "rms_norm"))
        return NULL;
    int64_t C = lp_dim(x, -1);
    if (lp_count(w) != C)
        return lp_fail(r, LP_ESHAPE, "x has %ld channels, w has %ld", (long)C, (long)lp_count(w));
    lp_tensor *y = lp_like_kept(r, x), *stat = lp_new(r, 1, lp_rows(x));
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!stat || !in || !out)
        return NULL;
    r->k->rms_norm(out, lp_f32(stat), in, lp_f32(w), lp_rows(x), C, eps);
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, stat, x, w, NULL, NULL, 0);
}
