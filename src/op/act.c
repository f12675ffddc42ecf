/* SPDX-License-Identifier: MIT */
/* op/act.c - activation functions, element by element: erf GELU, quick GELU (x sigmoid(1.702 x)), SiLU, ReLU.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415. */
#include "op/half.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    float *dx = lp_grad(r, n->in[0]);
    lp_mark m = lp_here(r);
    const float *x = lp_wide(r, n->in[0]);
    if (dx && x)
        r->k->act_grad(dx, n->out->grad, x, *(const enum lp_act *)n->settings, lp_count(n->out));
    lp_back_to(r, m);
}

lp_tensor *lp_act(lp_run *r, lp_tensor *x, enum lp_act act) {
    if (!lp_enter(r, "act"))
        return NULL;
    lp_tensor *y = lp_like_kept(r, x);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!in || !out)
        return NULL;
    r->k->act(out, in, act, lp_count(x));
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, NULL, NULL, &act, sizeof act);
}
