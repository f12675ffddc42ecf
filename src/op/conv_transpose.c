/* SPDX-License-Identifier: MIT */
/* op/conv_transpose.c - each place becomes a square of s x s: the transposed convolution whose stride is its
 * size.  x [n*H*W,C], w [C,O,s,s], b [O] -> y [n*sH*sW,O]. One matrix product, its results put in place. */
#include "op/half.h"

struct settings {
    int64_t height, width;
};

/* spread[n*H*W,O*s*s] to or from y[n*sH*sW,O]. */
static void place(float *y, float *spread, int64_t rows, int64_t O, int64_t s, int64_t width, bool back) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < s * s; j++) {
            int64_t row = i / width * s + j / s, column = i % width * s + j % s;
            float *one = y + (row * width * s + column) * O, *other = spread + i * O * s * s + j;
            for (int64_t o = 0; o < O && !back; o++)
                one[o] = other[o * s * s];
            for (int64_t o = 0; o < O && back; o++)
                other[o * s * s] = one[o];
        }
}

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    const struct settings *settings = n->settings;
    int64_t M = lp_rows(x), C = lp_dim(w, 0), O = lp_dim(w, 1), s = lp_dim(w, 2), N = O * s * s;
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w), *db = lp_grad(r, b);
    lp_mark m = lp_here(r);
    float *spread = lp_run_alloc(r, sizeof(float) * (size_t)(M * N));
    float *to_x = dx ? lp_run_alloc(r, sizeof(float) * (size_t)(M * C)) : NULL;
    if (!spread || (dx && !to_x))
        return;
    place(n->out->grad, spread, M, O, s, settings->width, true);
    if (dx) {
        r->k->matmul_nt(to_x, spread, w->data, w->type, NULL, M, C, N);
        r->k->add_scaled(dx, to_x, 1, M * C);
    }
    if (dw)
        r->k->matmul_tn(dw, lp_f32(x), spread, C, N, M);
    if (db)
        r->k->sum_rows(db, n->out->grad, M * s * s, O);
    lp_back_to(r, m);
}

lp_tensor *lp_conv_transpose(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, int64_t height,
                             int64_t width) {
    if (!lp_enter(r, "conv_transpose"))
        return NULL;
    int64_t M = lp_rows(x), C = lp_dim(w, 0), O = lp_dim(w, 1), s = lp_dim(w, 2), N = O * s * s;
    char xs[LP_SHAPE_TEXT], ws[LP_SHAPE_TEXT];
    if (w->ndim != 4 || lp_dim(w, 3) != s || lp_dim(x, -1) != C || lp_count(b) != O || height * width < 1 ||
        M % (height * width))
        return lp_fail(r, LP_ESHAPE, "x is %s, w is %s", lp_shape_text(x, xs), lp_shape_text(w, ws));
    lp_tensor *y = lp_new(r, 2, M * s * s, O);
    lp_mark m = lp_here(r);
    const float *weight = lp_wide(r, w);
    float *spread = lp_run_alloc(r, sizeof(float) * (size_t)(M * N));
    if (!y || !weight || !spread)
        return NULL;
    r->k->matmul_nn(spread, lp_f32(x), weight, M, N, C, false);
    place(lp_f32(y), spread, M, O, s, width, false);
    for (int64_t i = 0; i < M * s * s; i++)
        r->k->add(lp_f32(y) + i * O, lp_f32(y) + i * O, lp_f32(b), O);
    lp_back_to(r, m);
    struct settings settings = {height, width};
    return lp_record(r, backward, y, NULL, x, w, b, &settings, sizeof settings);
}
