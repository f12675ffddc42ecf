/* SPDX-License-Identifier: MIT */
/* vector/tile.h - one register tile of a matrix product, and panels. Written over the `vec` of an instruction
 * set (x86/vec_avx512.h, x86/vec_avx2.h) and over `vec multiply_add(vec w, vec x, vec sum)`, both of which
 * the including file brings: with it a unit of 32 bits is one float, or a pair of bf16.
 *
 * A tile is h rows by 2 LANES columns of sums, h <= TILE_ROWS; each step adds one number of h rows of x,
 * spread over a register, times two registers of w. */
#ifndef LP_KERNEL_VECTOR_TILE_H
#define LP_KERNEL_VECTOR_TILE_H

#include "kernel/kernel.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { TILE_COLUMNS = 2 * LANES };

/* One operand each: x(i, k) = x[i * x_row + k * x_k], w(k, 0..) = w[k * w_k ..]. */
struct tile {
    float *y;
    int64_t y_row;
    const float *x;
    int64_t x_row, x_k;
    const void *w;     /* floats; float16 in TILE_HALVES */
    int64_t w_k, n;    /* n steps */
    int64_t w_right;   /* TILE_HALVES: how far the right register's numbers are from the left one's */
    int columns;       /* of y that are written */
    bool add;          /* to what y holds */
    const float *bias; /* or NULL */
};

/* Operands wherever they lie; panels x [n][h], w [n][TILE_COLUMNS]; the same x, and w in panels of struct lp_packed. */
enum tile_kind { TILE_STRIDES, TILE_PANELS, TILE_HALVES };

ALWAYS_INLINE void finish_row(const struct tile *t, float *y, vec a, vec b) {
    int64_t n = t->columns;
    if (n == TILE_COLUMNS) {
        if (t->add) {
            a += vec_load(y);
            b += vec_load(y + LANES);
        } else if (t->bias) {
            a += vec_load(t->bias);
            b += vec_load(t->bias + LANES);
        }
        vec_store(y, a);
        vec_store(y + LANES, b);
        return;
    }
    int64_t left = n < LANES ? n : LANES, right = n - left;
    const float *plus = t->add ? y : t->bias;
    if (plus) {
        a += vec_load_n(plus, left);
        b += vec_load_n(plus + left, right);
    }
    vec_store_n(y, a, left);
    vec_store_n(y + left, b, right);
}

/* A tile's sums are written when it is done, mostly to memory that no cache holds: asked for when it begins, that has come
 * by then. */
ALWAYS_INLINE void expect_tile(const float *y, int64_t y_row, int h) {
    for (int i = 0; i < h; i++) {
        __builtin_prefetch(y + i * y_row, 1);
        __builtin_prefetch(y + i * y_row + LANES, 1);
    }
}

ALWAYS_INLINE void tile_of(int h, enum tile_kind kind, const struct tile *t) {
    if (h > TILE_ROWS)
        return; /* so that narrower instruction sets carry no code for tall tiles */
    int64_t x_row = kind == TILE_STRIDES ? t->x_row : 1, x_k = kind == TILE_STRIDES ? t->x_k : h,
            w_k = kind == TILE_STRIDES ? t->w_k : kind == TILE_PANELS ? TILE_COLUMNS : LP_PANEL_ROWS;
    vec sum[12][2];
    const float *x = t->x, *w = t->w;
    const uint16_t *half = t->w;
    for (int i = 0; i < h; i++)
        sum[i][0] = sum[i][1] = vec_set(0);
    for (int64_t k = t->n; k > 0; k--, w += w_k, half += w_k, x += x_k) {
        vec a = kind == TILE_HALVES ? vec_load_f16(half) : vec_load(w),
            b = kind == TILE_HALVES ? vec_load_f16(half + t->w_right) : vec_load(w + LANES);
        for (int i = 0; i < h; i++) {
            vec f = vec_set(x[i * x_row]);
            sum[i][0] = multiply_add(a, f, sum[i][0]);
            sum[i][1] = multiply_add(b, f, sum[i][1]);
        }
    }
    for (int i = 0; i < h; i++)
        finish_row(t, t->y + i * t->y_row, sum[i][0], sum[i][1]);
}

ALWAYS_INLINE void tile_of_kind(int h, enum tile_kind kind, const struct tile *t) {
    switch (h) {
    case 1:
        tile_of(1, kind, t);
        break;
    case 2:
        tile_of(2, kind, t);
        break;
    case 3:
        tile_of(3, kind, t);
        break;
    case 4:
        tile_of(4, kind, t);
        break;
    case 5:
        tile_of(5, kind, t);
        break;
    case 6:
        tile_of(6, kind, t);
        break;
    case 7:
        tile_of(7, kind, t);
        break;
    case 8:
        tile_of(8, kind, t);
        break;
    case 9:
        tile_of(9, kind, t);
        break;
    case 10:
        tile_of(10, kind, t);
        break;
    case 11:
        tile_of(11, kind, t);
        break;
    case 12:
        tile_of(12, kind, t);
        break;
    }
}

static inline void tile_of_strides(int h, const struct tile *t) {
    tile_of_kind(h, TILE_STRIDES, t);
}
static inline void tile_of_panels(int h, const struct tile *t) {
    tile_of_kind(h, TILE_PANELS, t);
}
static inline void tile_of_halves(int h, const struct tile *t) {
    tile_of_kind(h, TILE_HALVES, t);
}

#endif
