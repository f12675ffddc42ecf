/* SPDX-License-Identifier: MIT */
/* op/scale.c - y = scale x.  x [..] -> y like x. */
#include "op/half.h"

#include <string.h>

static void backward(struct lp_node *n) {
    float *dx = lp_grad(n->run, n->in[0]);
    if (dx)
        n->run->k->add_scaled(dx, n->out->grad, *(const float *)n->settings, lp_count(n->out));
}

lp_tensor *lp_scale(lp_run *r, lp_tensor *x, float scale) {
    if (!lp_enter(r, "scale"))
        return NULL;
    lp_tensor *y = lp_like_kept(r, x);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!in || !out)
        return NULL;
    memset(out, 0, sizeof(float) * (size_t)lp_count(x));
    r->k->add_scaled(out, in, scale, lp_count(x));
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, NULL, NULL, &scale, sizeof scale);
}
