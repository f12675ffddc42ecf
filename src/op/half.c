/* SPDX-License-Identifier: MIT */
/* op/half.c - see half.h. */
#include "op/half.h"

lp_tensor *lp_like_kept(lp_run *r, const lp_tensor *x) {
    return r->half ? lp_like_of(r, x, LP_BF16) : lp_like(r, x);
}

float *lp_wide_of(lp_run *r, const lp_tensor *y) {
    if (!y || y->type == LP_F32)
        return lp_f32(y);
    return lp_run_alloc(r, sizeof(float) * (size_t)lp_count(y));
}

const float *lp_wide(lp_run *r, const lp_tensor *x) {
    float *wide = lp_wide_of(r, x);
    if (wide && x->type != LP_F32)
        r->k->to_f32(wide, x->data, x->type, lp_count(x));
    return wide;
}

void lp_narrow(lp_run *r, lp_tensor *y, const float *wide) {
    if (y->type != LP_F32)
        r->k->from_f32(y->data, wide, y->type, lp_count(y));
}
