/* SPDX-License-Identifier: MIT */
/* op/matmul.c - y = x w^T + b: the linear layer. x [..,K], w [N,K], b [N] -> y [..,N]. A convolution's weight
 * [N,C,P,P] serves as [N,C*P*P]. */
#include "op/half.h"

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    int64_t M = lp_rows(x), N = lp_dim(w, 0), K = lp_count(w) / N;
    const float *dy = n->out->grad;
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w), *db = lp_grad(r, b);
    lp_mark m = lp_here(r);
    const float *in = dw ? lp_wide(r, x) : NULL, *weight = dx ? lp_wide(r, w) : NULL;
    if (weight)
        (r->half ? r->k->matmul_nn_rough : r->k->matmul_nn)(dx, dy, weight, M, K, N, true);
    if (in)
        (r->half ? r->k->matmul_tn_rough : r->k->matmul_tn)(dw, dy, in, N, K, M);
    if (db)
        r->k->sum_rows(db, dy, M, N);
    lp_back_to(r, m);
}

static void multiply_packed(lp_run *r, const struct lp_product *p, int n, const float *x, int64_t M) {
    (lp_dtype_block(p->w.type) > 1 ? r->k->matmul_packed : r->k->matmul_packed_half)(p, n, x, M);
}

/* With bfloat16 activations the weights are rounded alike: some processors multiply pairs of them at once. */
static bool multiply(lp_run *r, float *y, const float *x, const lp_tensor *w, const float *bias, int64_t M, int64_t N,
                     int64_t K) {
    const void *weight = w->data;
    enum lp_dtype type = w->type;
    if (w->packed) {
        multiply_packed(r, &(struct lp_product){y, {type, N, K, weight}, bias}, 1, x, M);
        return true;
    }
    if (r->half && type == LP_F32) {
        void *rounded = lp_run_alloc(r, (size_t)(lp_dtype_bytes(LP_BF16) * N * K));
        if (!rounded)
            return false;
        r->k->from_f32(rounded, weight, LP_BF16, N * K);
        weight = rounded;
        type = LP_BF16;
    }
    (r->rough ? r->k->matmul_rough : r->k->matmul_nt)(y, x, weight, type, bias, M, N, K);
    return true;
}

/* An empty y, where the shapes fit. */
static lp_tensor *result(lp_run *r, const lp_tensor *x, const lp_tensor *w, const lp_tensor *b) {
    int64_t N = lp_dim(w, 0), K = lp_count(w) / N;
    char xs[LP_SHAPE_TEXT], ws[LP_SHAPE_TEXT];
    if (w->ndim < 2 || lp_dim(x, -1) != K || (b && lp_count(b) != N))
        return lp_fail(r, LP_ESHAPE, "x is %s, w is %s", lp_shape_text(x, xs), lp_shape_text(w, ws));
    if (w->packed && r->taping)
        return lp_fail(r, LP_EUSAGE, "packed weights are for use, not for learning");
    lp_tensor shape = *x;
    shape.dim[x->ndim - 1] = N;
    return lp_like_kept(r, &shape);
}

lp_tensor *lp_matmul(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b) {
    if (!lp_enter(r, "matmul"))
        return NULL;
    lp_tensor *y = result(r, x, w, b);
    if (!y)
        return NULL;
    int64_t N = lp_dim(w, 0), K = lp_count(w) / N;
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    float *out = lp_wide_of(r, y);
    if (!in || !out || !multiply(r, out, in, w, lp_f32(b), lp_rows(x), N, K))
        return NULL;
    lp_narrow(r, y, out);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, w, b, NULL, 0);
}

void lp_matmul_packed(lp_run *r, lp_tensor *x, int n, lp_tensor *const w[], lp_tensor *const b[], lp_tensor *y[]) {
    struct lp_product p[LP_PRODUCTS];
    bool ok = lp_enter(r, "matmul");
    for (int i = 0; ok && i < n; i++) {
        ok = (y[i] = result(r, x, w[i], b[i])) != NULL;
        if (ok)
            p[i] = (struct lp_product){lp_f32(y[i]), {w[i]->type, lp_dim(w[i], 0), lp_dim(x, -1), w[i]->data}, lp_f32(b[i])};
    }
    if (ok)
        multiply_packed(r, p, n, lp_f32(x), lp_rows(x));
    for (int i = 0; !ok && i < n; i++)
        y[i] = NULL;
}
