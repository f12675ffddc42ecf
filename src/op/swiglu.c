/* SPDX-License-Identifier: MIT */
/* op/swiglu.c - y = silu(gate) * up.  gate up [..,C] -> y [..,C].  Shazeer 2020, arXiv:2002.05202. */
#include "op/op.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    r->k->swiglu_grad(lp_grad(r, n->in[0]), lp_grad(r, n->in[1]), n->out->grad, lp_f32(n->in[0]),
                      lp_f32(n->in[1]), lp_count(n->out));
}

lp_tensor *lp_swiglu(lp_run *r, lp_tensor *gate, lp_tensor *up) {
    if (!lp_enter(r, "swiglu"))
        return NULL;
    if (!lp_same_shape(gate, up))
        return lp_fail(r, LP_ESHAPE, "gate and up differ in shape");
    lp_tensor *y = lp_like(r, gate);
    if (!y)
        return NULL;
    r->k->swiglu(lp_f32(y), lp_f32(gate), lp_f32(up), lp_count(y));
    return lp_record(r, backward, y, NULL, gate, up, NULL, NULL, 0);
}
