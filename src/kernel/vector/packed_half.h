/* SPDX-License-Identifier: MIT */
/* vector/packed_half.h - y[M,N] = x[M,K] w^T + bias with packed weights of float16 (struct lp_packed), in float32. Needs
 * vec, vector/tile.h, vector/rows.h and vector/matmul.h.
 *
 * A panel is [K][16]: a register holds one column of its rows and meets one number of x, spread over a register. So a
 * panel is read from end to end and x costs four bytes a column, where rows of w (rows.h) cost four bytes of x for every
 * number. Few rows of x meet the weights as these stream by; for many, tiles read the panels where they lie. */
#ifndef LP_KERNEL_VECTOR_PACKED_HALF_H
#define LP_KERNEL_VECTOR_PACKED_HALF_H

#include "kernel/gemm.h"
#include "kernel/portable/portable.h"

#include <omp.h>

/* A load is 2 LANES numbers: LOAD_COLUMNS columns of one panel, in PARTS registers each. CHAINS: sums that do not wait for
 * each other. */
enum { PARTS = LP_PANEL_ROWS / LANES, LOAD_COLUMNS = 2 / PARTS, CHAINS = LANES, PANEL_FEW_ROWS = LANES / 2 };

/* Threads do not read at the same rate: each takes a stretch after the other. */
enum { STRETCHES = 8, HALF_PARALLEL_WORK = 1 << 18 };

/* One panel with all M rows of x. */
ALWAYS_INLINE void stream_half_panel(int M, const struct lp_product *p, const float *x, int64_t panel) {
    const int loads = CHAINS / (2 * M) > 1 ? CHAINS / (2 * M) : 1, columns = loads * LOAD_COLUMNS;
    int64_t K = p->w.K, N = p->w.N, k = 0, n0 = panel * LP_PANEL_ROWS;
    const uint16_t *w = (const uint16_t *)p->w.data + n0 * K;
    vec sum[PANEL_FEW_ROWS][CHAINS / 2][2];
    for (int m = 0; m < M; m++)
        for (int j = 0; j < loads; j++)
            sum[m][j][0] = sum[m][j][1] = vec_set(0);
    for (; k + columns <= K; k += columns, w += columns * LP_PANEL_ROWS)
        for (int j = 0; j < loads; j++) {
            vec a[2];
            vec_load_f16_pair(a, w + j * 2 * LANES);
            for (int m = 0; m < M; m++) {
                const float *f = x + m * K + k + j * LOAD_COLUMNS;
                sum[m][j][0] = vec_fma(a[0], vec_set(f[0]), sum[m][j][0]);
                sum[m][j][1] = vec_fma(a[1], vec_set(f[LOAD_COLUMNS - 1]), sum[m][j][1]);
            }
        }
    for (; k < K; k++, w += LP_PANEL_ROWS)
        for (int part = 0; part < PARTS; part++)
            for (int m = 0; m < M; m++)
                sum[m][0][part] = vec_fma(vec_load_f16(w + part * LANES), vec_set(x[m * K + k]), sum[m][0][part]);
    for (int m = 0; m < M; m++) {
        for (int j = 1; j < loads; j++)
            for (int c = 0; c < 2; c++)
                sum[m][0][c] += sum[m][j][c];
        if (PARTS == 1)
            sum[m][0][0] += sum[m][0][1];
        for (int part = 0; part < PARTS && n0 + part * LANES < N; part++) {
            int64_t n = n0 + part * LANES, lanes = N - n < LANES ? N - n : LANES;
            vec bias = p->bias ? vec_load_n(p->bias + n, lanes) : vec_set(0);
            vec_store_n(p->y + m * N + n, sum[m][0][part] + bias, lanes);
        }
    }
}

/* By all threads of the team. */
ALWAYS_INLINE void stream_half_panels(int M, const struct lp_product *p, const float *x) {
    if (M > PANEL_FEW_ROWS)
        return; /* so that narrower instruction sets carry no code for it */
    int64_t panels = (p->w.N + LP_PANEL_ROWS - 1) / LP_PANEL_ROWS;
    int64_t stretch = panels / (STRETCHES * omp_get_num_threads()) + 1;
#pragma omp for schedule(dynamic, stretch) nowait
    for (int64_t i = 0; i < panels; i++)
        stream_half_panel(M, p, x, i);
}

static void stream_half(const struct lp_product *p, const float *x, int64_t M) {
    switch (M) {
    case 1:
        stream_half_panels(1, p, x);
        break;
    case 2:
        stream_half_panels(2, p, x);
        break;
    case 3:
        stream_half_panels(3, p, x);
        break;
    case 4:
        stream_half_panels(4, p, x);
        break;
    case 5:
        stream_half_panels(5, p, x);
        break;
    case 6:
        stream_half_panels(6, p, x);
        break;
    case 7:
        stream_half_panels(7, p, x);
        break;
    case 8:
        stream_half_panels(8, p, x);
        break;
    }
}

/* Columns n0.. are rows of one panel or of two; the second may be missing. */
static void tile_half_panels(const struct lp_gemm *g, float *y, int rows, int columns, const float *x, const void *w,
                             int64_t n, const float *bias, bool add) {
    int64_t right = PARTS > 1 ? LANES : columns > LANES ? g->K * LP_PANEL_ROWS : 0;
    struct tile t = {.y = y,
                     .y_row = g->N,
                     .x = x,
                     .w = w,
                     .w_right = right,
                     .n = n,
                     .columns = columns,
                     .add = add,
                     .bias = bias};
    expect_tile(y, g->N, rows);
    tile_of_halves(rows, &t);
}

static const void *find_w_panel(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0, int64_t n) {
    (void)panel, (void)columns, (void)n;
    return (const uint16_t *)g->w + n0 * g->K + u0 * LP_PANEL_ROWS;
}

/* Many rows of x. */
static bool multiply_half_panels(const struct lp_product *p, const float *x, int64_t M) {
    struct lp_gemm g = {.y = p->y,
                        .x = x,
                        .w = p->w.data,
                        .type = LP_F16,
                        .bias = p->bias,
                        .M = M,
                        .N = p->w.N,
                        .K = p->w.K,
                        .units = p->w.K,
                        .tile_rows = TILE_ROWS,
                        .tile_columns = TILE_COLUMNS,
                        .pack_x = pack_x_rows,
                        .pack_w = find_w_panel,
                        .tile = tile_half_panels};
    return lp_gemm(&g);
}

static void matmul_packed_half(const struct lp_product *p, int count, const float *x, int64_t M) {
    int64_t work = 0;
    for (int i = 0; i < count; i++)
        work += M * p[i].w.N * p[i].w.K;
    for (int i = 0; i < count && M > PANEL_FEW_ROWS; i++)
        if (!multiply_half_panels(&p[i], x, M))
            lp_portable_matmul_packed_half(&p[i], 1, x, M);
    if (M > PANEL_FEW_ROWS)
        return;
#pragma omp parallel if (work >= HALF_PARALLEL_WORK)
    for (int i = 0; i < count; i++)
        stream_half(&p[i], x, M);
}

#endif
