/* SPDX-License-Identifier: MIT */
/* vector/packed_half.h - y[M,N] = x[M,K] w^T + bias with packed weights of float16 (struct lp_packed), in
 * float32. Needs vec, vector/tile.h and vector/matmul.h.
 *
 * A panel is [K][16]: a register holds one column of its rows and meets one number of x, spread over it. So a
 * number of x is read for 16 of w, where rows (rows.h) read one for each; and tiles take the panels where
 * they lie. */
#ifndef LP_KERNEL_VECTOR_PACKED_HALF_H
#define LP_KERNEL_VECTOR_PACKED_HALF_H

#include "kernel/gemm.h"
#include "kernel/portable/portable.h"
#include "kernel/vector/panels.h"

/* A panel's column is PARTS registers; a load is LOAD_COLUMNS of it. */
enum { PARTS = LP_PANEL_ROWS / LANES, LOAD_COLUMNS = 2 / PARTS };

/* A panel with one row of x: bound by memory, so that the panel is read from end to end. */
static inline void stream_panel(const struct lp_product *p, const float *x, int64_t panel) {
    enum { LOADS = LANES / 2, COLUMNS = LOADS * LOAD_COLUMNS }; /* at once: that many sums wait for none */
    int64_t K = p->w.K, n0 = panel * LP_PANEL_ROWS, k = 0;
    const uint16_t *w = (const uint16_t *)p->w.data + n0 * K;
    vec sum[LOADS][2];
    for (int j = 0; j < LOADS; j++)
        sum[j][0] = sum[j][1] = vec_set(0);
    for (; k + COLUMNS <= K; k += COLUMNS, w += COLUMNS * LP_PANEL_ROWS)
        for (int j = 0; j < LOADS; j++) {
            const float *f = x + k + j * LOAD_COLUMNS;
            vec a[2];
            vec_load_f16_pair(a, w + j * 2 * LANES);
            sum[j][0] = vec_fma(a[0], vec_set(f[0]), sum[j][0]);
            sum[j][1] = vec_fma(a[1], vec_set(f[LOAD_COLUMNS - 1]), sum[j][1]);
        }
    for (int j = 1; j < LOADS; j++)
        for (int c = 0; c < 2; c++)
            sum[0][c] += sum[j][c];
    if (PARTS == 1)
        sum[0][0] += sum[0][1];
    for (int part = 0; part < PARTS && n0 + part * LANES < p->w.N; part++) {
        int64_t n = n0 + part * LANES, lanes = p->w.N - n < LANES ? p->w.N - n : LANES;
        for (int64_t i = k; i < K; i++)
            sum[0][part] += vec_load_f16(w + (i - k) * LP_PANEL_ROWS + part * LANES) * vec_set(x[i]);
        if (p->bias)
            sum[0][part] += vec_load_n(p->bias + n, lanes);
        vec_store_n(p->y + n, sum[0][part], lanes);
    }
}

/* By all threads of the team. */
static void stream_panels(const struct lp_product *p, const float *x) {
    int64_t panels = (p->w.N + LP_PANEL_ROWS - 1) / LP_PANEL_ROWS;
    int64_t stretch = stretch_of(panels);
#pragma omp for schedule(dynamic, stretch) nowait
    for (int64_t i = 0; i < panels; i++)
        stream_panel(p, x, i);
}

/* Columns of y are rows of one panel or of two, of which the second may be missing. */
static void tile_of_w(const struct lp_gemm *g, float *y, int rows, int columns, const float *x, const void *w,
                      int64_t n, const float *bias, bool add) {
    struct tile t = {.y = y,
                     .y_row = g->N,
                     .x = x,
                     .w = w,
                     .w_right = PARTS > 1         ? LANES
                                : columns > LANES ? g->K * LP_PANEL_ROWS
                                                  : 0,
                     .n = n,
                     .columns = columns,
                     .add = add,
                     .bias = bias};
    expect_tile(y, g->N, rows);
    tile_of_halves(rows, &t);
}

static const void *find_w(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                          int64_t n) {
    (void)panel, (void)columns, (void)n;
    return (const uint16_t *)g->w + n0 * g->K + u0 * LP_PANEL_ROWS;
}

static void multiply_panels(const struct lp_product *p, const float *x, int64_t M) {
    struct lp_gemm g = {.y = p->y,
                        .x = x,
                        .w = p->w.data,
                        .type = LP_F16,
                        .bias = p->bias,
                        .M = M,
                        .N = p->w.N,
                        .K = p->w.K,
                        .units = p->w.K,
                        .most_units = GEMM_UNITS,
                        .tile_rows = TILE_ROWS,
                        .tile_columns = TILE_COLUMNS,
                        .pack_x = pack_x_rows,
                        .pack_w = find_w,
                        .tile = tile_of_w};
    if (!lp_gemm(&g))
        lp_portable_matmul_packed_half(p, 1, x, M);
}

static void matmul_packed_half(const struct lp_product *p, int count, const float *x, int64_t M) {
    int64_t work = 0;
    for (int i = 0; i < count && M > 1; i++)
        multiply_panels(&p[i], x, M);
    if (M != 1)
        return;
    for (int i = 0; i < count; i++)
        work += p[i].w.N * p[i].w.K;
#pragma omp parallel if (work >= PACKED_PARALLEL_WORK)
    for (int i = 0; i < count; i++)
        stream_panels(&p[i], x);
}

#endif
