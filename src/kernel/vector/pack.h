/* SPDX-License-Identifier: MIT */
/* vector/pack.h - panels for tiles of 32-bit units: rows are turned so that a panel is [k][rows]. Needs vec
 * and vector/tile.h. */
#ifndef LP_KERNEL_VECTOR_PACK_H
#define LP_KERNEL_VECTOR_PACK_H

#include "kernel/kernel.h"
#include "kernel/portable/half.h"

/* panel[k * step + i] = row[i][k] for k < n and i < rows <= LANES; with rows < LANES the row pointers past it
 * repeat valid ones. Writes only `rows` numbers of each k. */
ALWAYS_INLINE void turn_rows(float *panel, int64_t step, const float *const row[LANES], int rows, int64_t n) {
    int64_t k = 0;
    for (; k + 4 <= n; k += 4) {
        vec r[4];
        for (int j = 0; j < 4; j++)
            r[j] = vec_load_quarters(row + j, k);
        vec_transpose4(r);
        for (int j = 0; j < 4; j++)
            if (rows == LANES)
                vec_store(panel + (k + j) * step, r[j]);
            else
                vec_store_n(panel + (k + j) * step, r[j], rows);
    }
    for (; k < n; k++)
        for (int i = 0; i < rows; i++)
            panel[k * step + i] = row[i][k];
}

/* The same from rows `stride` apart. */
static inline void turn(float *panel, int64_t step, const float *x, int64_t stride, int rows, int64_t n) {
    const float *row[LANES];
    for (int i = 0; i < LANES; i++)
        row[i] = x + (i < rows ? i : rows - 1) * stride;
    if (rows == LANES)
        turn_rows(panel, step, row, LANES, n);
    else
        turn_rows(panel, step, row, rows, n);
}

/* A panel of up to TILE_COLUMNS rows. */
static inline void turn_wide(float *panel, int64_t step, const float *x, int64_t stride, int rows,
                             int64_t n) {
    turn(panel, step, x, stride, rows < LANES ? rows : LANES, n);
    if (rows > LANES)
        turn(panel + LANES, step, x + LANES * stride, stride, rows - LANES, n);
}

/* panel[k * step + i] = x[k * stride + i]. */
static inline void copy_rows(float *panel, int64_t step, const float *x, int64_t stride, int columns,
                             int64_t n) {
    if (columns == TILE_COLUMNS)
        for (int64_t k = 0; k < n; k++) {
            vec_store(panel + k * step, vec_load(x + k * stride));
            vec_store(panel + k * step + LANES, vec_load(x + k * stride + LANES));
        }
    else
        for (int64_t k = 0; k < n; k++)
            for (int i = 0; i < columns; i += LANES) {
                int m = columns - i < LANES ? columns - i : LANES;
                vec_store_n(panel + k * step + i, vec_load_n(x + k * stride + i, m), m);
            }
}

static inline void widen(float *y, const uint16_t *x, enum lp_dtype type, int64_t n) {
    int64_t i = 0;
    if (type == LP_BF16) {
        for (; i + LANES <= n; i += LANES)
            vec_store(y + i, vec_load_bf16(x + i));
        for (; i < n; i++)
            y[i] = lp_bf16_to_f32(x[i]);
    } else {
        for (; i + LANES <= n; i += LANES)
            vec_store(y + i, vec_load_f16(x + i));
        for (; i < n; i++)
            y[i] = lp_f16_to_f32(x[i]);
    }
}

/* turn_wide from rows of 16-bit numbers. */
static inline void turn_half(float *panel, int64_t step, const uint16_t *x, enum lp_dtype type,
                             int64_t stride, int rows, int64_t n) {
    enum { CHUNK = 64 };
    float wide[TILE_COLUMNS][CHUNK];
    for (int64_t k = 0; k < n; k += CHUNK) {
        int64_t m = n - k < CHUNK ? n - k : CHUNK;
        for (int i = 0; i < rows; i++)
            widen(wide[i], x + i * stride + k, type, m);
        turn_wide(panel + k * step, step, wide[0], CHUNK, rows, m);
    }
}

#endif
