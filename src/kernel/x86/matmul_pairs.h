/* SPDX-License-Identifier: MIT */
/* matmul_pairs.h - products of pairs of bf16 along K, summed in float32. x is rounded to bf16 for it (8 bits
 * of mantissa; the normalised mean square error of the product is about 1e-6), and so are factors of other
 * types where the caller allows it. Only products of many rows take this way; few rows are bound by memory
 * and stay exact.
 *
 * Needs x86/pairs_avx512_bf16.h and what an instruction set brings: PAIR_ROWS and PAIR_COLUMNS, the most
 * of a tile; PAIR_STEP, the units that it multiplies at once; PAIR_UNITS, the most of a panel; tile_pairs,
 * pack_x_pairs and pack_x_column_pairs as in kernel/gemm.h, for x[M,K] and x[K,M]. Panels end with zeros
 * where units are missing. */
#ifndef LP_KERNEL_X86_MATMUL_PAIRS_H
#define LP_KERNEL_X86_MATMUL_PAIRS_H

#include "kernel/gemm.h"

#include <string.h>

enum { MANY_ROWS = 16 };

static void (*matmul_nt_float)(float *, const float *, const void *, enum lp_dtype, const float *, int64_t,
                               int64_t, int64_t);
static void (*matmul_nn_float)(float *, const float *, const float *, int64_t, int64_t, int64_t, bool);
static void (*matmul_tn_float)(float *, const float *, const float *, int64_t, int64_t, int64_t);

/* One panel of at most TILE_COLUMNS columns from n0 on: n units, all of them there. */
typedef void pack_panel(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                        int64_t n);

/* A row of an even number of bf16 is a row of pairs; odd rows do not come here (see matmul_rough). */
static void pack_rows(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0, int64_t n) {
    if (g->type == LP_BF16) {
        turn_wide(panel, TILE_COLUMNS, (const float *)g->w + n0 * g->units + u0, g->units, columns, n);
        return;
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
}

/* w[K,N] in float32. */
static void pack_columns(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                         int64_t n) {
    pair_rows(panel, TILE_COLUMNS, (const float *)g->w + n0, g->N, g->K, columns, u0, n);
}

/* Panels one after the other. */
static inline const void *pack_panels(pack_panel *pack, float *panel, const struct lp_gemm *g, int64_t n0,
                                      int columns, int64_t u0, int64_t n) {
    int64_t there = g->units - u0 < n ? g->units - u0 : n;
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
        float *one = panel + j * n;
        pack(one, g, n0 + j, columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS, u0, there);
        memset(one + there * TILE_COLUMNS, 0, sizeof *one * (size_t)((n - there) * TILE_COLUMNS));
    }
    return panel;
}

static const void *pack_w_pairs(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                                int64_t n) {
    return pack_panels(pack_rows, panel, g, n0, columns, u0, n);
}

static const void *pack_w_column_pairs(float *panel, const struct lp_gemm *g, int64_t n0, int columns,
                                       int64_t u0, int64_t n) {
    return pack_panels(pack_columns, panel, g, n0, columns, u0, n);
}

static struct lp_gemm product(float *y, const float *x, const void *w, int64_t M, int64_t N, int64_t K) {
    return (struct lp_gemm){.y = y,
                            .x = x,
                            .w = w,
                            .M = M,
                            .N = N,
                            .K = K,
                            .units = (K + 1) / 2,
                            .step = PAIR_STEP,
                            .most_units = PAIR_UNITS,
                            .tile_rows = PAIR_ROWS,
                            .tile_columns = PAIR_COLUMNS,
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

/* `table` holds the products in float32. */
static void put_products_of_pairs(struct lp_kernels *table) {
    matmul_nt_float = table->matmul_nt;
    matmul_nn_float = table->matmul_nn;
    matmul_tn_float = table->matmul_tn;
    table->matmul_nt = matmul_nt;
    table->matmul_rough = matmul_rough;
    table->matmul_nn_rough = matmul_nn;
    table->matmul_tn_rough = matmul_tn;
}

#endif
