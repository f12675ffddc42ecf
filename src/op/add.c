/* SPDX-License-Identifier: MIT */
/* op/add.c - y = a + b, b repeated over a's leading rows where it is smaller. a [..,C] -> y like a. */
#include "op/half.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    int64_t count = lp_count(n->in[0]), part = lp_count(n->in[1]);
    float *da = lp_grad(r, n->in[0]), *db = lp_grad(r, n->in[1]);
    if (da)
        r->k->add_scaled(da, n->out->grad, 1, count);
    for (int64_t i = 0; db && i < count; i += part)
        r->k->add_scaled(db, n->out->grad + i, 1, part);
}

lp_tensor *lp_add(lp_run *r, lp_tensor *a, lp_tensor *b) {
    if (!lp_enter(r, "add"))
        return NULL;
    int64_t count = lp_count(a), part = lp_count(b);
    char as[LP_SHAPE_TEXT], bs[LP_SHAPE_TEXT];
    if (lp_dim(a, -1) != lp_dim(b, -1) || part == 0 || count % part)
        return lp_fail(r, LP_ESHAPE, "a is %s, b is %s", lp_shape_text(a, as), lp_shape_text(b, bs));
    lp_tensor *y = lp_like(r, a);
    lp_mark m = lp_here(r);
    const float *x = lp_wide(r, a), *plus = lp_wide(r, b);
    if (!y || !x || !plus)
        return NULL;
    for (int64_t i = 0; i < count; i += part)
        r->k->add(lp_f32(y) + i, x + i, plus, part);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, a, b, NULL, NULL, 0);
}
