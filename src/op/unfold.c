/* SPDX-License-Identifier: MIT */
/* op/unfold.c - what a convolution sees at each of its places, as a row, so that it is one matrix product.
 * x [n*H*W,C], places row after row -> y [n*h*w,C*k*k], channels outermost as in a convolution's weight
 * [O,C,k,k]; h = (H + 2 padding - k) / stride + 1. Outside lie zeros. */
#include "op/half.h"

#include <string.h>

struct settings {
    struct lp_conv_settings conv;
    int64_t pictures, h, w;
};

/* Calls of copy or add for every number of y that lies inside x: x at [row of x], y at [row of y]. */
static void each_place(const struct settings *s, int64_t C, float *x, float *y, bool back) {
    const struct lp_conv_settings *c = &s->conv;
    int64_t k = c->kernel, K = C * k * k;
#pragma omp parallel for if (!back && s->pictures * s->h * s->w * K >= LP_COPY_WORK)
    for (int64_t at = 0; at < s->pictures * s->h * s->w; at++) {
        int64_t picture = at / (s->h * s->w), row = at / s->w % s->h, column = at % s->w;
        for (int64_t i = 0; i < k * k; i++) {
            int64_t from_row = row * c->stride - c->padding + i / k;
            int64_t from_column = column * c->stride - c->padding + i % k;
            if (from_row < 0 || from_row >= c->height || from_column < 0 || from_column >= c->width)
                continue;
            float *in = x + ((picture * c->height + from_row) * c->width + from_column) * C,
                  *out = y + at * K + i;
            for (int64_t j = 0; j < C && !back; j++)
                out[j * k * k] = in[j];
            for (int64_t j = 0; j < C && back; j++)
                in[j] += out[j * k * k];
        }
    }
}

static void backward(struct lp_node *n) {
    float *dx = lp_grad(n->run, n->in[0]);
    if (dx)
        each_place(n->settings, lp_dim(n->in[0], -1), dx, n->out->grad, true);
}

lp_tensor *lp_unfold(lp_run *r, lp_tensor *x, const struct lp_conv_settings *c) {
    if (!lp_enter(r, "unfold"))
        return NULL;
    int64_t C = lp_dim(x, -1), places = c->height * c->width;
    char text[LP_SHAPE_TEXT];
    bool fits = c->kernel >= 1 && c->stride >= 1 && c->padding >= 0 &&
                c->height + 2 * c->padding >= c->kernel && c->width + 2 * c->padding >= c->kernel &&
                places > 0 && lp_rows(x) % places == 0;
    if (!fits)
        return lp_fail(r, LP_ESHAPE, "x is %s, pictures are %ld x %ld, the kernel is %ld",
                       lp_shape_text(x, text), (long)c->height, (long)c->width, (long)c->kernel);
    struct settings s = {.conv = *c,
                         .pictures = lp_rows(x) / places,
                         .h = (c->height + 2 * c->padding - c->kernel) / c->stride + 1,
                         .w = (c->width + 2 * c->padding - c->kernel) / c->stride + 1};
    lp_tensor *y = lp_new(r, 2, s.pictures * s.h * s.w, C * c->kernel * c->kernel);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, x);
    if (!y || !in)
        return NULL;
    memset(lp_f32(y), 0, sizeof(float) * (size_t)lp_count(y));
    each_place(&s, C, (float *)in, lp_f32(y), false);
    lp_back_to(r, m);
    return lp_record(r, backward, y, NULL, x, NULL, NULL, &s, sizeof s);
}
