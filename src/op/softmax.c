/* SPDX-License-Identifier: MIT */
/* op/softmax.c - y = e^x / sum of e^x over the last axis. x [..,C] -> y like x. */
#include "op/op.h"

lp_tensor *lp_softmax(lp_run *r, lp_tensor *x) {
    if (!lp_enter(r, "softmax"))
        return NULL;
    if (r->taping && x->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    lp_tensor *y = lp_like(r, x);
    if (y)
        r->k->softmax(lp_f32(y), lp_f32(x), lp_rows(x), lp_dim(x, -1));
    return y;
}
