/* SPDX-License-Identifier: MIT */
/* nn/mlp.c - a perceptron with one hidden layer: x [n,C] -> [n,F] -> [n,C2]. */
#include "nn/layers.h"

#include <string.h>

lp_tensor *lp_mlp(lp_run *r, const struct lp_linear *fc1, const struct lp_linear *fc2, enum lp_act act,
                  lp_tensor *x) {
    enum { ROWS = 1024 }; /* and a cancel is heard between */
    if (!lp_enter(r, "mlp"))
        return NULL;
    if (r->taping && x->learns)
        return lp_fail(r, LP_EINTERNAL, "there is no gradient");
    int64_t n = lp_rows(x), out = lp_dim(fc2->w, 0);
    lp_tensor *y = lp_new(r, 2, n, out);
    for (int64_t at = 0; at < n && y; at += ROWS) {
        lp_mark m = lp_here(r);
        lp_tensor *part = lp_view_rows(r, x, at, n - at < ROWS ? n - at : ROWS);
        lp_tensor *h = lp_linear(r, fc2, lp_act(r, lp_linear(r, fc1, part), act));
        if (!h)
            return NULL;
        memcpy(lp_f32(y) + at * out, lp_f32(h), sizeof(float) * (size_t)lp_count(h));
        lp_back_to(r, m);
    }
    return y;
}
