/* SPDX-License-Identifier: MIT */
/* portable/resize.c - maps of numbers at another size, bilinear. An output's place i of n_out lies at
 * (i + 0.5) n_in / n_out - 0.5 of the inputs, not before the first one nor behind the last one. */
#include "kernel/portable/portable.h"

#include <math.h>

enum { STRETCH = 128 }; /* columns */

/* Between which two inputs an output lies, and how much of the second it takes. */
struct place {
    int64_t low, high;
    float part;
};

static struct place place_of(int64_t i, int64_t in, int64_t out) {
    if (in == out)
        return (struct place){i, i, 0};
    float at = fmaxf((float)in / (float)out * ((float)i + 0.5f) - 0.5f, 0);
    int64_t low = (int64_t)at;
    low = low < in - 1 ? low : in - 1;
    return (struct place){low, low < in - 1 ? low + 1 : low, fminf(at - (float)low, 1)};
}

/* A stretch of columns of all wanted rows of one map; where the columns lie is the same in each row. */
static void resize_stretch(float *y, const float *x, const struct lp_resize_shape *s, int64_t from,
                           int64_t n) {
    struct place h[STRETCH];
    for (int64_t j = 0; j < n; j++)
        h[j] = place_of(from + j, s->w, s->W);
    for (int64_t row = 0; row < s->rows; row++) {
        struct place v = place_of(s->first + row, s->h, s->H);
        const float *a = x + v.low * s->x_row, *b = x + v.high * s->x_row;
        float *out = y + row * s->W + from;
        for (int64_t j = 0; j < n; j++) {
            float above = (1 - h[j].part) * a[h[j].low] + h[j].part * a[h[j].high];
            float below = (1 - h[j].part) * b[h[j].low] + h[j].part * b[h[j].high];
            out[j] = (1 - v.part) * above + v.part * below;
        }
    }
}

void lp_portable_resize_bilinear(float *y, const float *x, const struct lp_resize_shape *s) {
    int64_t stretches = (s->W + STRETCH - 1) / STRETCH;
#pragma omp parallel for if (s->n * s->rows * s->W * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n * stretches; i++) {
        int64_t map = i / stretches, from = i % stretches * STRETCH;
        resize_stretch(y + map * s->rows * s->W, x + map * s->x_map, s, from,
                       s->W - from < STRETCH ? s->W - from : STRETCH);
    }
}

/* A thread owns a map. */
void lp_portable_resize_bilinear_grad(float *dx, const float *dy, const struct lp_resize_shape *s) {
#pragma omp parallel for if (s->n * s->rows * s->W * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t row = 0; row < s->rows; row++) {
            struct place v = place_of(s->first + row, s->h, s->H);
            float *a = dx + i * s->x_map + v.low * s->x_row, *b = dx + i * s->x_map + v.high * s->x_row;
            const float *d = dy + (i * s->rows + row) * s->W;
            for (int64_t column = 0; column < s->W; column++) {
                struct place h = place_of(column, s->w, s->W);
                float above = (1 - v.part) * d[column], below = v.part * d[column];
                a[h.low] += (1 - h.part) * above;
                a[h.high] += h.part * above;
                b[h.low] += (1 - h.part) * below;
                b[h.high] += h.part * below;
            }
        }
}
