/* SPDX-License-Identifier: MIT */
/* op/conv_transpose.c - each place becomes a square of s x s: the transposed convolution whose stride is its
 * size.  x [n*H*W,C], w [C,O,s,s], b [O] -> y [n*sH*sW,O]. One matrix product with w turned over, so that the
 * numbers of each new place come out together, and are then put there. */
#include "op/half.h"

#include <string.h>

struct square {
    int64_t M, C, O, s, width; /* M: rows of x; width of its maps */
};

static struct square square_of(const lp_tensor *x, const lp_tensor *w, int64_t width) {
    return (struct square){lp_rows(x), lp_dim(w, 0), lp_dim(w, 1), lp_dim(w, 2), width};
}

/* Where number (j,o) of channel c lies in w[C,O,s,s]; turned over it is row j * O + o, column c. */
static int64_t place_in_w(const struct square *q, int64_t c, int64_t j, int64_t o) {
    return (c * q->O + o) * q->s * q->s + j;
}

/* turned[s*s*O,C] of w, and bias[s*s*O] of b. */
static void turn(float *turned, float *bias, const float *w, const float *b, const struct square *q) {
    for (int64_t i = 0; i < q->s * q->s * q->O; i++) {
        bias[i] = b[i % q->O];
        for (int64_t c = 0; c < q->C; c++)
            turned[i * q->C + c] = w[place_in_w(q, c, i / q->O, i % q->O)];
    }
}

/* spread[M,s*s,O] to y[n*sH*sW,O], or back. */
static void place(float *y, float *spread, const struct square *q, bool back) {
    size_t bytes = sizeof(float) * (size_t)q->O;
#pragma omp parallel for if (q->M * q->s * q->s * q->O >= LP_COPY_WORK)
    for (int64_t i = 0; i < q->M; i++)
        for (int64_t j = 0; j < q->s * q->s; j++) {
            int64_t row = i / q->width * q->s + j / q->s, column = i % q->width * q->s + j % q->s;
            float *there = y + (row * q->width * q->s + column) * q->O,
                  *here = spread + (i * q->s * q->s + j) * q->O;
            memcpy(back ? here : there, back ? there : here, bytes);
        }
}

static void backward(struct lp_node *n) {
    lp_run *r = n->run;
    lp_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    struct square q = square_of(x, w, *(const int64_t *)n->settings);
    int64_t N = q.O * q.s * q.s;
    float *dx = lp_grad(r, x), *dw = lp_grad(r, w), *db = lp_grad(r, b);
    lp_mark m = lp_here(r);
    const float *weight = lp_wide(r, w), *in = lp_wide(r, x);
    float *spread = lp_run_alloc(r, sizeof(float) * (size_t)(q.M * N));
    float *turned = lp_run_alloc(r, sizeof(float) * (size_t)(N * q.C + N));
    if (!weight || !in || !spread || !turned)
        return;
    place(n->out->grad, spread, &q, true);
    if (dx) {
        turn(turned, turned + N * q.C, weight, lp_f32(b), &q);
        r->k->matmul_nn(dx, spread, turned, q.M, q.C, N, true);
    }
    if (dw) {
        memset(turned, 0, sizeof(float) * (size_t)(N * q.C));
        r->k->matmul_tn(turned, spread, in, N, q.C, q.M);
        for (int64_t i = 0; i < N; i++)
            for (int64_t c = 0; c < q.C; c++)
                dw[place_in_w(&q, c, i / q.O, i % q.O)] += turned[i * q.C + c];
    }
    if (db)
        r->k->sum_rows(db, n->out->grad, q.M * q.s * q.s, q.O);
    lp_back_to(r, m);
}

lp_tensor *lp_conv_transpose(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, int64_t height,
                             int64_t width) {
    if (!lp_enter(r, "conv_transpose"))
        return NULL;
    struct square q = square_of(x, w, width);
    int64_t N = q.O * q.s * q.s;
    char xs[LP_SHAPE_TEXT], ws[LP_SHAPE_TEXT];
    if (w->ndim != 4 || lp_dim(w, 3) != q.s || lp_dim(x, -1) != q.C || lp_count(b) != q.O ||
        height * width < 1 || q.M % (height * width))
        return lp_fail(r, LP_ESHAPE, "x is %s, w is %s", lp_shape_text(x, xs), lp_shape_text(w, ws));
    lp_tensor *y = lp_new(r, 2, q.M * q.s * q.s, q.O);
    lp_mark m = lp_here(r);
    const float *weight = lp_wide(r, w), *in = lp_wide(r, x);
    float *spread = lp_run_alloc(r, sizeof(float) * (size_t)(q.M * N));
    float *turned = lp_run_alloc(r, sizeof(float) * (size_t)(N * q.C + N));
    if (!y || !weight || !in || !spread || !turned)
        return NULL;
    turn(turned, turned + N * q.C, weight, lp_f32(b), &q);
    (r->rough ? r->k->matmul_rough : r->k->matmul_nt)(spread, in, turned, LP_F32, turned + N * q.C, q.M, N, q.C);
    place(lp_f32(y), spread, &q, false);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, w, b, &width, sizeof width);
}
