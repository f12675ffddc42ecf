/* SPDX-License-Identifier: MIT */
/* vector/matmul.h - the three matrix products in float32 over the blocked product of gemm.h. Needs vec,
 * vector/tile.h, vector/pack.h and vector/rows.h. */
#ifndef LP_KERNEL_VECTOR_MATMUL_H
#define LP_KERNEL_VECTOR_MATMUL_H

#include "kernel/gemm.h"
#include "kernel/portable/portable.h"

static inline void tile_floats(const struct lp_gemm *g, float *y, int rows, int columns, const float *x,
                               const void *w, int64_t n, const float *bias, bool add) {
    struct tile t = {
        .y = y, .y_row = g->N, .x = x, .w = w, .n = n, .columns = columns, .add = add, .bias = bias};
    expect_tile(y, g->N, rows);
    tile_of_panels(rows, &t);
}

/* x[M,K]. */
static inline void pack_x_rows(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0,
                               int64_t n) {
    turn(panel, rows, g->x + m0 * g->K + u0, g->K, rows, n);
}

/* x[K,M]. */
static inline void pack_x_columns(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0,
                                  int64_t n) {
    copy_rows(panel, rows, g->x + u0 * g->M + m0, g->M, rows, n);
}

/* w[N,K]. */
static inline const void *pack_w_rows(float *panel, const struct lp_gemm *g, int64_t n0, int columns,
                                      int64_t u0, int64_t n) {
    int64_t at = n0 * g->K + u0;
    if (g->type == LP_F32)
        turn_wide(panel, TILE_COLUMNS, (const float *)g->w + at, g->K, columns, n);
    else
        turn_half(panel, TILE_COLUMNS, (const uint16_t *)g->w + at, g->type, g->K, columns, n);
    return panel;
}

/* w[K,N]. */
static inline const void *pack_w_columns(float *panel, const struct lp_gemm *g, int64_t n0, int columns,
                                         int64_t u0, int64_t n) {
    copy_rows(panel, TILE_COLUMNS, (const float *)g->w + u0 * g->N + n0, g->N, columns, n);
    return panel;
}

static inline void matmul_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                             int64_t M, int64_t N, int64_t K) {
    if (M < 1 || N < 1 || K < 1 || lp_dtype_block(type) > 1) {
        lp_portable_matmul_nt(y, x, w, type, bias, M, N, K);
        return;
    }
    if (M <= FEW_ROWS) {
        matmul_few_rows(y, x, w, type, bias, M, N, K);
        return;
    }
    struct lp_gemm g = {.y = y,
                        .x = x,
                        .w = w,
                        .type = type,
                        .bias = bias,
                        .M = M,
                        .N = N,
                        .K = K,
                        .units = K,
                        .most_units = GEMM_UNITS,
                        .tile_rows = TILE_ROWS,
                        .tile_columns = TILE_COLUMNS,
                        .pack_x = pack_x_rows,
                        .pack_w = pack_w_rows,
                        .tile = tile_floats};
    if (!lp_gemm(&g))
        lp_portable_matmul_nt(y, x, w, type, bias, M, N, K);
}

static inline void matmul_nn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K,
                             bool add) {
    struct lp_gemm g = {.y = y,
                        .x = x,
                        .w = w,
                        .type = LP_F32,
                        .add = add,
                        .M = M,
                        .N = N,
                        .K = K,
                        .units = K,
                        .most_units = GEMM_UNITS,
                        .tile_rows = TILE_ROWS,
                        .tile_columns = TILE_COLUMNS,
                        .pack_x = pack_x_rows,
                        .pack_w = pack_w_columns,
                        .tile = tile_floats};
    if (M < 1 || N < 1 || K < 1 || !lp_gemm(&g))
        lp_portable_matmul_nn(y, x, w, M, N, K, add);
}

static inline void matmul_tn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K) {
    struct lp_gemm g = {.y = y,
                        .x = x,
                        .w = w,
                        .type = LP_F32,
                        .add = true,
                        .M = M,
                        .N = N,
                        .K = K,
                        .units = K,
                        .most_units = GEMM_UNITS,
                        .tile_rows = TILE_ROWS,
                        .tile_columns = TILE_COLUMNS,
                        .pack_x = pack_x_columns,
                        .pack_w = pack_w_columns,
                        .tile = tile_floats};
    if (M < 1 || N < 1 || K < 1 || !lp_gemm(&g))
        lp_portable_matmul_tn(y, x, w, M, N, K);
}

#endif
