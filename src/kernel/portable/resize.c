/* SPDX-License-Identifier: MIT */
/* portable/resize.c - maps of numbers at another size, bilinear. An output's place i of n_out lies at
 * (i + 0.5) n_in / n_out - 0.5 of the inputs, not before the first one nor behind the last one. */
#include "kernel/portable/portable.h"

#include <math.h>
#include <string.h>

enum { STRETCH = 128, WIDE = 1024, ROWS = 128 }; /* columns; of masks; their rows at once */

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

/* A stretch of columns of all rows of one map; where the columns lie is the same in each row. */
static void resize_stretch(float *y, const float *x, const struct lp_resize_shape *s, int64_t from,
                           int64_t n) {
    struct place h[STRETCH];
    for (int64_t j = 0; j < n; j++)
        h[j] = place_of(from + j, s->w, s->W);
    for (int64_t row = 0; row < s->H; row++) {
        struct place v = place_of(row, s->h, s->H);
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
#pragma omp parallel for if (s->n * s->H * s->W * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n * stretches; i++) {
        int64_t map = i / stretches, from = i % stretches * STRETCH;
        resize_stretch(y + map * s->H * s->W, x + map * s->x_map, s, from,
                       s->W - from < STRETCH ? s->W - from : STRETCH);
    }
}

/* A thread owns a map. */
void lp_portable_resize_bilinear_grad(float *dx, const float *dy, const struct lp_resize_shape *s) {
#pragma omp parallel for if (s->n * s->H * s->W * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t row = 0; row < s->H; row++) {
            struct place v = place_of(row, s->h, s->H);
            float *a = dx + i * s->x_map + v.low * s->x_row, *b = dx + i * s->x_map + v.high * s->x_row;
            const float *d = dy + (i * s->H + row) * s->W;
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

/* Outputs between the same two inputs. */
struct span {
    int64_t low, high, from, n;
};

/* A stretch of columns: its spans, and how much each column takes of its second input. */
struct stretch {
    struct span span[WIDE];
    float part[WIDE];
    int64_t spans;
};

static void find_spans(const struct lp_resize_shape *s, int64_t from, int64_t n, struct stretch *stretch) {
    stretch->spans = 0;
    for (int64_t j = 0; j < n; j++) {
        struct place h = place_of(from + j, s->w, s->W);
        stretch->part[j] = h.part;
        if (stretch->spans && stretch->span[stretch->spans - 1].low == h.low)
            stretch->span[stretch->spans - 1].n++;
        else
            stretch->span[stretch->spans++] = (struct span){h.low, h.high, j, 1};
    }
}

/* One row of a stretch. Between two numbers of one sign all have that sign, so that most need no computing. */
static void positive_row(uint8_t *y, const float *a, const float *b, float part, const struct stretch *stretch) {
    for (const struct span *h = stretch->span; h < stretch->span + stretch->spans; h++) {
        float left = (1 - part) * a[h->low] + part * b[h->low], right = (1 - part) * a[h->high] + part * b[h->high];
        if ((left > 0) == (right > 0))
            memset(y + h->from, left > 0, (size_t)h->n);
        else
            for (int64_t j = h->from; j < h->from + h->n; j++)
                y[j] = (1 - stretch->part[j]) * left + stretch->part[j] * right > 0;
    }
}

/* Rows from .. to of one map. */
static void positive_rows(uint8_t *y, const float *x, const struct lp_resize_shape *s, int64_t from, int64_t to) {
    struct stretch stretch;
    for (int64_t first = 0; first < s->W; first += WIDE) {
        find_spans(s, first, s->W - first < WIDE ? s->W - first : WIDE, &stretch);
        for (int64_t row = from; row < to; row++) {
            struct place v = place_of(row, s->h, s->H);
            positive_row(y + row * s->W + first, x + v.low * s->x_row, x + v.high * s->x_row, v.part, &stretch);
        }
    }
}

void lp_portable_positive_bilinear(uint8_t *y, const float *x, const struct lp_resize_shape *s) {
    int64_t blocks = (s->H + ROWS - 1) / ROWS;
#pragma omp parallel for if (s->n * s->H * s->W >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < s->n * blocks; i++) {
        int64_t map = i / blocks, from = i % blocks * ROWS;
        positive_rows(y + map * s->H * s->W, x + map * s->x_map, s, from, s->H - from < ROWS ? s->H : from + ROWS);
    }
}
