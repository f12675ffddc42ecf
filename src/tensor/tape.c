/* SPDX-License-Identifier: MIT */
/* tensor/tape.c - what ran, and the way back. */
#include "tensor/run.h"

#include <string.h>

lp_tensor *lp_record(lp_run *r, void (*backward)(struct lp_node *n), lp_tensor *out, lp_tensor *saved,
                     lp_tensor *in0, lp_tensor *in1, lp_tensor *in2, const void *settings, size_t settings_bytes) {
    if (!r->taping || !((in0 && in0->learns) || (in1 && in1->learns) || (in2 && in2->learns)))
        return out;
    struct lp_node *n = lp_run_alloc(r, sizeof *n + settings_bytes);
    if (!n)
        return NULL;
    *n = (struct lp_node){r->last, r, backward, out, saved, {in0, in1, in2}, n + 1};
    if (settings_bytes)
        memcpy(n + 1, settings, settings_bytes);
    out->learns = true;
    r->last = n;
    return out;
}

float *lp_grad(lp_run *r, lp_tensor *x) {
    if (!x || !x->learns)
        return NULL;
    if (!x->grad) {
        size_t bytes = sizeof(float) * (size_t)lp_count(x);
        x->grad = lp_run_alloc(r, bytes);
        if (x->grad)
            memset(x->grad, 0, bytes);
    }
    return x->grad;
}

bool lp_backward(lp_run *r, lp_tensor *loss, struct lp_error *err) {
    if (!lp_run_check(r, err))
        return false;
    float *grad = lp_grad(r, loss);
    if (grad)
        grad[0] = 1;
    for (struct lp_node *n = r->last; n && !r->error.code; n = n->before)
        if (n->out->grad)
            n->backward(n);
    r->last = NULL;
    return lp_run_check(r, err);
}
