/* SPDX-License-Identifier: MIT */
/* op/pick_rows.c - rows of two tensors in a new order: joins, splices, selections.
 * a [A,C], b [B,C] or NULL, index [n] -> y [n,C]; index i >= 0 is row i of a, i < 0 row -1-i of b. */
#include "op/half.h"

#include <string.h>

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    const int32_t *index = *(const int32_t *const *)n->settings;
    int64_t C = lp_dim(n->out, -1), rows = lp_rows(n->out);
    float *da = lp_grad(r, n->in[0]), *db = lp_grad(r, n->in[1]);
    for (int64_t i = 0; i < rows; i++) {
        float *to = index[i] >= 0 ? da : db;
        int64_t row = index[i] >= 0 ? index[i] : -1 - index[i];
        if (to)
            r->k->add_scaled(to + row * C, n->out->grad + i * C, 1, C);
    }
}

lp_tensor *lp_pick_rows(lp_run *r, lp_tensor *a, lp_tensor *b, const int32_t *index, int64_t n) {
    if (!lp_enter(r, "pick_rows"))
        return NULL;
    int64_t C = lp_dim(a, -1), A = lp_rows(a), B = b ? lp_rows(b) : 0;
    if (b && lp_dim(b, -1) != C)
        return lp_fail(r, LP_ESHAPE, "rows of %ld and %ld channels do not mix", (long)C, (long)lp_dim(b, -1));
    lp_tensor *y = lp_new(r, 2, n, C);
    lp_mark m = lp_here(r);
    const float *from_a = lp_wide(r, a), *from_b = lp_wide(r, b);
    if (!y || !from_a || (b && !from_b))
        return NULL;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = index[i] >= 0 ? index[i] : -1 - (int64_t)index[i];
        if (row >= (index[i] >= 0 ? A : B))
            return lp_fail(r, LP_ESHAPE, "there is no row %ld", (long)row);
    }
#pragma omp parallel for if (n * C >= LP_COPY_WORK)
    for (int64_t i = 0; i < n; i++) {
        const float *from = index[i] >= 0 ? from_a + index[i] * C : from_b + (-1 - (int64_t)index[i]) * C;
        memcpy(lp_f32(y) + i * C, from, sizeof(float) * (size_t)C);
    }
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, a, b, NULL, &index, sizeof index);
}
