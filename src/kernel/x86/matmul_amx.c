/* SPDX-License-Identifier: MIT */
/* matmul_amx.c - products of pairs by TDPBF16PS: registers of 16 rows of 16 pairs, or of 16 x 16 sums. A tile is two by
 * two registers of sums; panels of x lie register by register: [unit / 16][row][16]. */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/gemm.h"
#include "kernel/x86/amx.h"
#include "kernel/x86/x86.h"

#include <string.h>

enum { PAIR_ROWS = 2 * AMX_ROWS, PAIR_STEP = AMX_ROWS };

/* Rows past `rows` and columns past `columns` are multiplied as well, whatever is there, and not written. */
static void tile_pairs(const struct lp_gemm *g, float *y, int rows, int columns, const float *x, const void *w, int64_t n,
                       const float *bias, bool add) {
    _Alignas(64) float sum[PAIR_ROWS][TILE_COLUMNS];
    const float *pairs = w;
    amx_begin();
    expect_tile(y, g->N, rows);
    amx_zero_sums();
    if (rows > AMX_ROWS)
        for (int64_t u = 0; u < n; u += PAIR_STEP, x += rows * PAIR_STEP, pairs += PAIR_STEP * TILE_COLUMNS)
            amx_multiply_four(x, x + AMX_ROWS * PAIR_STEP, PAIR_STEP, pairs, pairs + LANES, TILE_COLUMNS);
    else
        for (int64_t u = 0; u < n; u += PAIR_STEP, x += rows * PAIR_STEP, pairs += PAIR_STEP * TILE_COLUMNS)
            amx_multiply_two(x, PAIR_STEP, pairs, pairs + LANES, TILE_COLUMNS);
    amx_store_sums(sum[0], TILE_COLUMNS, rows > AMX_ROWS);
    struct tile t = {.columns = columns, .add = add, .bias = bias};
    for (int i = 0; i < rows; i++)
        finish_row(&t, y + i * g->N, vec_load(sum[i]), vec_load(sum[i] + LANES));
}

static int64_t lanes_left(int64_t n) {
    return n < 0 ? 0 : n < LANES ? n : LANES;
}

/* Rows of x: 32 numbers are 16 pairs. */
static void pack_x_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0, int64_t n) {
    for (int64_t i = 0; i < rows; i++) {
        const float *x = g->x + (m0 + i) * g->K + 2 * u0;
        int64_t numbers = g->K - 2 * u0;
        for (int64_t u = 0; u < n; u += PAIR_STEP) {
            int64_t k = 2 * u, left = lanes_left(numbers - k), right = lanes_left(numbers - k - LANES);
            vec_store(panel + u * rows + i * PAIR_STEP, pairs_of(vec_load_n(x + k, left), vec_load_n(x + k + LANES, right)));
        }
    }
}

/* Columns of x[K,M] are turned. */
static void pack_x_column_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0, int64_t n) {
    float pair[PAIR_STEP][PAIR_ROWS];
    for (int64_t u = 0; u < n; u += PAIR_STEP) {
        int64_t left = g->units - u0 - u, there = left < PAIR_STEP ? left : PAIR_STEP;
        memset(pair, 0, sizeof pair);
        pair_rows(pair[0], PAIR_ROWS, g->x + m0, g->M, g->K, rows, u0 + u, there);
        turn(panel + u * rows, PAIR_STEP, pair[0], PAIR_ROWS, PAIR_STEP, rows);
    }
}

#include "kernel/x86/matmul_pairs.h"

void lp_amx_put_matmul(struct lp_kernels *table) {
    put_products_of_pairs(table);
}
