/* SPDX-License-Identifier: MIT */
/* op/group_norm.c - y = (x - mean) / sqrt(var + eps) * w + b, mean and variance over all places and the
 * channels of a group. x [places,C], w b [C] -> y [places,C].  Wu, He 2018, arXiv:1803.08494. */
#include "op/op.h"

lp_tensor *lp_group_norm(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, int64_t groups, float eps) {
    if (!lp_enter(r, "group_norm"))
        return NULL;
    int64_t C = lp_dim(x, -1);
    if (lp_count(w) != C || lp_count(b) != C || groups < 1 || C % groups)
        return lp_fail(r, LP_ESHAPE, "x has %ld channels, w has %ld, for %ld groups", (long)C,
                       (long)lp_count(w), (long)groups);
    if (r->taping && x->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    lp_tensor *y = lp_like(r, x);
    if (y)
        r->k->group_norm(lp_f32(y), lp_f32(x), lp_f32(w), lp_f32(b), lp_rows(x), C, groups, eps);
    return y;
}
