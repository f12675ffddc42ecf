/* SPDX-License-Identifier: MIT */
/* matmul_avx512_bf16.c - products by VDPBF16PS: pairs of bf16 along K, summed in float32. x is rounded to bf16 for it
 * (8 bits of mantissa; the normalised mean square error of the product is about 1e-6), and so are factors of other types
 * where the caller allows it. Only products of many rows take this way; few rows are bound by memory and stay exact. */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/gemm.h"
#include "kernel/x86/x86.h"

enum { MANY_ROWS = 16, PAIRS = 256 };

static void (*matmul_nt_float)(float *, const float *, const void *, enum lp_dtype, const float *, int64_t,
                               int64_t, int64_t);
static void (*matmul_nn_float)(float *, const float *, const float *, int64_t, int64_t, int64_t, bool);
static void (*matmul_tn_float)(float *, const float *, const float *, int64_t, int64_t, int64_t);

static void tile_pairs(const struct lp_gemm *g, float *y, int rows, int columns, const float *x, const void *w,
                       int64_t n, const float *bias, bool add) {
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

/* A row of an even number of bf16 is a row of pairs; odd rows do not come here (see matmul_rough). */
static const void *pack_w_pairs(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                                int64_t n) {
    if (g->type == LP_BF16) {
        turn_wide(panel, TILE_COLUMNS, (const float *)g->w + n0 * g->units + u0, g->units, columns, n);
        return panel;
    }
    float pair[TILE_COLUMNS][PAIRS];
    for (int64_t u = 0; u < n; u += PAIRS) {
        int64_t units = n - u < PAIRS ? n - u : PAIRS;
        for (int i = 0; i < columns; i++) {
            int64_t at = (n0 + i) * g->K + 2 * (u0 + u);
            if (g->type == LP_F32)
                round_to_pairs(pair[i], (const float *)g->w + at, 2 * units);
            else
                round_halves_to_pairs(pair[i], (const uint16_t *)g->w + at, 2 * units);
        }
        turn_wide(panel + u * TILE_COLUMNS, TILE_COLUMNS, pair[0], PAIRS, columns, units);
    }
    return panel;
}

/* What the products of pairs have in common. */
static struct lp_gemm product(float *y, const float *x, const void *w, int64_t M, int64_t N, int64_t K) {
    return (struct lp_gemm){.y = y,
                            .x = x,
                            .w = w,
                            .M = M,
                            .N = N,
                            .K = K,
                            .units = (K + 1) / 2,
                            .tile_rows = TILE_ROWS,
                            .tile_columns = TILE_COLUMNS,
                            .tile = tile_pairs};
}

static void matmul_rough(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                         int64_t M, int64_t N, int64_t K) {
    struct lp_gemm g = product(y, x, w, M, N, K);
    g.type = type;
    g.bias = bias;
    g.pack_x = pack_x_pairs;
    g.pack_w = pack_w_pairs;
    if (lp_dtype_block(type) > 1 || M < MANY_ROWS || N < 1 || K < 2 || K % 2 || !lp_gemm(&g))
        matmul_nt_float(y, x, w, type, bias, M, N, K);
}

static void matmul_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                      int64_t M, int64_t N, int64_t K) {
    (type == LP_BF16 ? matmul_rough : matmul_nt_float)(y, x, w, type, bias, M, N, K);
}

/* panel[u][step] = pairs of rows 2u and 2u + 1 of x[K,stride]; a row that is missing at the end is zeros. */
static void pair_rows(float *panel, int64_t step, const float *x, int64_t stride, int64_t K, int columns, int64_t u0,
                      int64_t n) {
    for (int64_t u = 0; u < n; u++) {
        const float *even = x + 2 * (u0 + u) * stride;
        bool whole = 2 * (u0 + u) + 1 < K;
        for (int i = 0; i < columns; i += LANES) {
            int64_t m = columns - i < LANES ? columns - i : LANES;
            vec low = vec_load_n(even + i, m), high = whole ? vec_load_n(even + stride + i, m) : vec_set(0);
            vec_store_n(panel + u * step + i, pair_of(low, high), m);
        }
    }
}

/* x[K,M]. */
static void pack_x_column_pairs(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0, int64_t n) {
    pair_rows(panel, rows, g->x + m0, g->M, g->K, rows, u0, n);
}

/* w[K,N] in float32. */
static const void *pack_w_column_pairs(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                                       int64_t n) {
    pair_rows(panel, TILE_COLUMNS, (const float *)g->w + n0, g->N, g->K, columns, u0, n);
    return panel;
}

static void matmul_nn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K, bool add) {
    struct lp_gemm g = product(y, x, w, M, N, K);
    g.add = add;
    g.pack_x = pack_x_pairs;
    g.pack_w = pack_w_column_pairs;
    if (M < MANY_ROWS || N < 1 || K < 2 || K % 2 || !lp_gemm(&g))
        matmul_nn_float(y, x, w, M, N, K, add);
}

static void matmul_tn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K) {
    struct lp_gemm g = product(y, x, w, M, N, K);
    g.add = true;
    g.pack_x = pack_x_column_pairs;
    g.pack_w = pack_w_column_pairs;
    if (M < MANY_ROWS || N < 1 || K < 1 || !lp_gemm(&g))
        matmul_tn_float(y, x, w, M, N, K);
}

void lp_avx512_bf16_put_matmul(struct lp_kernels *table) {
    matmul_nt_float = table->matmul_nt;
    matmul_nn_float = table->matmul_nn;
    matmul_tn_float = table->matmul_tn;
    table->matmul_nt = matmul_nt;
    table->matmul_rough = matmul_rough;
    table->matmul_nn_rough = matmul_nn;
    table->matmul_tn_rough = matmul_tn;
}
