/* SPDX-License-Identifier: MIT */
/* op/swiglu.c - y = silu(gate) * up.  gate up [..,C] -> y [..,C].  Shazeer 2020, arXiv:2002.05202. */
#include "op/half.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    float *dgate = lp_grad(r, n->in[0]), *dup = lp_grad(r, n->in[1]);
    lp_mark m = lp_here(r);
    const float *gate = lp_wide(r, n->in[0]), *up = lp_wide(r, n->in[1]);
    if (gate && up)
        r->k->swiglu_grad(dgate, dup, n->out->grad, gate, up, lp_count(n->out));
    lp_back_to(r, m);
}

lp_tensor *lp_swiglu(lp_run *r, lp_tensor *gate, lp_tensor *up) {
    if (!lp_enter(r, "swiglu"))
        return NULL;
    if (!lp_same_shape(gate, up))
        return lp_fail(r, LP_ESHAPE, "gate and up differ in shape");
    lp_tensor *y = lp_like_kept(r, gate);
    lp_mark m = lp_here(r);
    const float *a = lp_wide(r, gate), *b = lp_wide(r, up);
    float *out = lp_wide_of(r, y);
    if (!a || !b || !out)
        return NULL;
    r->k->swiglu(out, a, b, lp_count(y));
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, gate, up, NULL, NULL, 0);
}
