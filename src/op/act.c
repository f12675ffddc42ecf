/* SPDX-License-Identifier: MIT */
/* op/act.c - activation functions, element by element: erf GELU, quick GELU (x sigmoid(1.702 x)), SiLU.
 * Hendrycks, Gimpel 2016, arXiv:1606.08415. */
#include "op/op.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    r->k->act_grad(lp_grad(r, n->in[0]), n->out->grad, lp_f32(n->in[0]), *(const enum lp_act *)n->settings,
                   lp_count(n->out));
}

lp_tensor *lp_act(lp_run *r, lp_tensor *x, enum lp_act act) {
    if (!lp_enter(r, "act"))
        return NULL;
    lp_tensor *y = lp_like(r, x);
    if (!y)
        return NULL;
    r->k->act(lp_f32(y), lp_f32(x), act, lp_count(x));
    return lp_record(r, backward, y, NULL, x, NULL, NULL, &act, sizeof act);
}
