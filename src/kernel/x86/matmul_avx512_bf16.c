/* SPDX-License-Identifier: MIT */
/* matmul_avx512_bf16.c - products of pairs by VDPBF16PS. */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/gemm.h"
#include "kernel/x86/x86.h"

enum { PAIR_ROWS = TILE_ROWS, PAIR_COLUMNS = TILE_COLUMNS, PAIR_STEP = 1, PAIR_UNITS = GEMM_UNITS };

static void tile_pairs(const struct lp_gemm *g, float *y, int rows, int columns, const float *x,
                       const void *w, int64_t n, const float *bias, bool add) {
    struct tile t = {
        .y = y, .y_row = g->N, .x = x, .w = w, .n = n, .columns = columns, .add = add, .bias = bias};
    expect_tile(y, g->N, rows);
    tile_of_panels(rows, &t);
}

static void pack_x_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0, int64_t n) {
    float pair[LANES][PAIRS];
    for (int64_t u = 0; u < n; u += PAIRS) {
        int64_t units = n - u < PAIRS ? n - u : PAIRS;
        for (int i = 0; i < rows; i++)
            round_to_pairs(pair[i], g->x + (m0 + i) * g->K + 2 * (u0 + u), 2 * units);
        turn(panel + u * rows, rows, pair[0], PAIRS, rows, units);
    }
}

static void pack_x_column_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0,
                                int64_t n) {
    pair_rows(panel, rows, g->x + m0, g->M, g->K, rows, u0, n);
}

#include "kernel/x86/matmul_pairs.h"

void lp_avx512_bf16_put_matmul(struct lp_kernels *table) {
    put_products_of_pairs(table);
}
