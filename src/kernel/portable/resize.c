/* SPDX-License-Identifier: MIT */
/* portable/resize.c - maps of numbers at another size, bilinear. An output's place i of n_out lies at
 * (i + 0.5) n_in / n_out - 0.5 of the inputs, not before the first one nor behind the last one. */
#include "kernel/portable/portable.h"

#include <math.h>

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

void lp_portable_resize_bilinear(float *y, const float *x, const struct lp_resize_shape *s) {
#pragma omp parallel for collapse(2) if (s->n * s->rows * s->W * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t row = 0; row < s->rows; row++) {
            struct place v = place_of(s->first + row, s->h, s->H);
            const float *a = x + i * s->x_map + v.low * s->x_row, *b = x + i * s->x_map + v.high * s->x_row;
            float *out = y + (i * s->rows + row) * s->W;
            for (int64_t column = 0; column < s->W; column++) {
                struct place h = place_of(column, s->w, s->W);
                float above = (1 - h.part) * a[h.low] + h.part * a[h.high];
                float below = (1 - h.part) * b[h.low] + h.part * b[h.high];
                out[column] = (1 - v.part) * above + v.part * below;
            }
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
