/* SPDX-License-Identifier: MIT */
/* nn/norm.c - layer norm and RMS norm with their weights. */
#include "nn/layers.h"

void lp_bind_layer_norm(struct lp_bind *b, const char *name, struct lp_norm *n, int64_t C, float eps) {
    size_t up = lp_bind_enter(b, "%s", name);
    n->w = lp_bind_tensor(b, "weight", LP_BIND_SCALE, 1, C);
    n->b = lp_bind_tensor(b, "bias", LP_BIND_SHIFT, 1, C);
    n->eps = eps;
    lp_bind_leave(b, up);
}

void lp_bind_rms_norm(struct lp_bind *b, const char *name, struct lp_norm *n, int64_t C, float eps) {
    size_t up = lp_bind_enter(b, "%s", name);
    n->w = lp_bind_tensor(b, "weight", LP_BIND_SCALE, 1, C);
    n->b = NULL;
    n->eps = eps;
    lp_bind_leave(b, up);
}

lp_tensor *lp_norm(lp_run *r, const struct lp_norm *n, lp_tensor *x) {
    return n->b ? lp_layer_norm(r, x, n->w, n->b, n->eps) : lp_rms_norm(r, x, n->w, n->eps);
}
