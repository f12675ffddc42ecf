/* SPDX-License-Identifier: MIT */
/* op/matmul.c - y = x w^T + b: the linear layer. x [..,K], w [N,K], b [N] -> y [..,N]. A convolution's weight
 * [N,C,P,P] serves as [N,C*P*P]. */
#include "op/op.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    int64_t M = lp_rows(x), N = lp_dim(w, 0), K = lp_count(w) / N;
    const float *dy = n->out->grad;
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w), *db = lp_grad(r, b);
    if (dx)
        r->k->matmul_nn(dx, dy, lp_f32(w), M, K, N, true);
    if (dw)
        r->k->matmul_tn(dw, dy, lp_f32(x), N, K, M);
    if (db)
        r->k->sum_rows(db, dy, M, N);
}

lp_tensor *lp_matmul(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b) {
    if (!lp_enter(r, "matmul"))
        return NULL;
    int64_t N = lp_dim(w, 0), K = lp_count(w) / N;
    char xs[LP_SHAPE_TEXT], ws[LP_SHAPE_TEXT];
    if (w->ndim < 2 || lp_dim(x, -1) != K || (b && lp_count(b) != N))
        return lp_fail(r, LP_ESHAPE, "x is %s, w is %s", lp_shape_text(x, xs), lp_shape_text(w, ws));
    lp_tensor *y = x->ndim == 3 ? lp_new(r, 3, x->dim[0], x->dim[1], N) : lp_new(r, 2, lp_rows(x), N);
    if (!y)
        return NULL;
    r->k->matmul_nt(lp_f32(y), lp_f32(x), w->data, w->type, lp_f32(b), lp_rows(x), N, K);
    return lp_record(r, backward, y, NULL, x, w, b, NULL, 0);
}
