/* SPDX-License-Identifier: MIT */
/* matmul_amx.c - products of pairs by TDPBF16PS: registers of 16 rows of 16 pairs, or of 16 x 16 sums. Two by
 * two registers of sums are a panel of x times one of w's; a tile goes through eight panels of w, so that the
 * panel of x is read from the second-level cache. Panels of x lie register by register: [unit / 16][row][16].
 */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/gemm.h"
#include "kernel/x86/amx.h"
#include "kernel/x86/x86.h"

#include <string.h>

enum { PAIR_ROWS = 2 * AMX_ROWS, PAIR_COLUMNS = 8 * TILE_COLUMNS, PAIR_STEP = AMX_ROWS, PAIR_UNITS = 1024 };

/* One panel of w, 32 columns. Rows past `rows` and columns past `columns` are multiplied as well, whatever is
 * there, and not written. */
static void multiply_panels(float *y, int64_t y_row, int rows, int columns, const float *x, const float *w,
                            int64_t n, const float *bias, bool add) {
    _Alignas(64) float sum[PAIR_ROWS][TILE_COLUMNS];
    int64_t step = rows * PAIR_STEP;
    amx_zero_sums();
    if (rows > AMX_ROWS)
        for (int64_t u = 0; u < n; u += PAIR_STEP, x += step, w += PAIR_STEP * TILE_COLUMNS)
            amx_multiply_four(x, x + AMX_ROWS * PAIR_STEP, PAIR_STEP, w, w + LANES, TILE_COLUMNS);
    else
        for (int64_t u = 0; u < n; u += PAIR_STEP, x += step, w += PAIR_STEP * TILE_COLUMNS)
            amx_multiply_two(x, PAIR_STEP, w, w + LANES, TILE_COLUMNS);
    amx_store_sums(sum[0], TILE_COLUMNS, rows > AMX_ROWS);
    struct tile t = {.columns = columns, .add = add, .bias = bias};
    for (int i = 0; i < rows; i++)
        finish_row(&t, y + i * y_row, vec_load(sum[i]), vec_load(sum[i] + LANES));
}

static void tile_pairs(const struct lp_gemm *g, float *y, int rows, int columns, const float *x,
                       const void *w, int64_t n, const float *bias, bool add) {
    const float *panel = w;
    amx_begin();
    for (int j = 0; j < columns; j += TILE_COLUMNS, panel += n * TILE_COLUMNS)
        multiply_panels(y + j, g->N, rows, columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS, x, panel,
                        n, bias ? bias + j : NULL, add);
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
            vec_store(panel + u * rows + i * PAIR_STEP,
                      pairs_of(vec_load_n(x + k, left), vec_load_n(x + k + LANES, right)));
        }
    }
}

/* Columns of x[K,M] are turned. */
static void pack_x_column_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0,
                                int64_t n) {
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
