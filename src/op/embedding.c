/* SPDX-License-Identifier: MIT */
/* op/embedding.c - rows of a table.  table [V,C], id [n] -> y [n,C]. */
#include "op/op.h"

static void backward(struct lp_node *n) {
    n->run->k->scatter_add(lp_grad(n->run, n->in[0]), n->out->grad, *(const int32_t *const *)n->settings,
                           lp_rows(n->out), lp_dim(n->out, -1));
}

lp_tensor *lp_embedding(lp_run *r, lp_tensor *table, const int32_t *id, int64_t n) {
    if (!lp_enter(r, "embedding"))
        return NULL;
    int64_t V = lp_dim(table, 0), C = lp_dim(table, 1);
    for (int64_t i = 0; i < n; i++)
        if (id[i] < 0 || id[i] >= V)
            return lp_fail(r, LP_EINPUT, "token %d is not in the vocabulary of %ld", (int)id[i], (long)V);
    lp_tensor *y = lp_new(r, 2, n, C);
    if (!y)
        return NULL;
    if (table->packed)
        r->k->gather_packed(lp_f32(y), &(struct lp_packed){table->type, V, C, table->data}, id, n);
    else
        r->k->gather(lp_f32(y), table->data, table->type, id, n, C);
    return lp_record(r, backward, y, NULL, table, NULL, NULL, &id, sizeof id);
}
