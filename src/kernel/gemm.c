/* SPDX-License-Identifier: MIT */
/* gemm.c - blocking and threads of the matrix product. For a block of K and of rows, x is packed once for all
 * threads; then threads take stretches of one column of tiles, pack the panel of w for it, and multiply. The
 * panel of w and the streaming panels of x lie in the second-level cache. Who takes which stretch is left to
 * the moment, as a thread may lose its core; no number depends on it. */
#include "kernel/gemm.h"

#include "kernel/parts.h"
#include "kernel/scratch.h"

#include <omp.h>

enum { BLOCK_ROWS = 2048, PARALLEL_WORK = 1 << 18 };

/* The largest part when `total` is cut into equal parts of at most `most`. */
static int64_t even_part(int64_t total, int64_t most) {
    return ceil_div(total, ceil_div(total, most));
}

static int64_t whole_steps(const struct lp_gemm *g, int64_t units) {
    return g->step ? ceil_div(units, g->step) * g->step : units;
}

struct block {
    int64_t m0, rows, u0, units, panel_rows; /* units in whole steps */
};

/* Panels first..end of x with one column of tiles. */
static void multiply_stretch(const struct lp_gemm *g, const struct block *b, const float *x_panels,
                             float *w_panel, int64_t column, int64_t first, int64_t end) {
    int64_t n0 = column * g->tile_columns;
    int columns = (int)least(g->tile_columns, g->N - n0);
    bool add = g->add || b->u0 > 0;
    const void *w = g->pack_w(w_panel, g, n0, columns, b->u0, b->units);
    for (int64_t panel = first; panel < end; panel++) {
        int64_t m = panel * b->panel_rows;
        g->tile(g, g->y + (b->m0 + m) * g->N + n0, (int)least(b->panel_rows, b->rows - m), columns,
                x_panels + m * b->units, w, b->units, g->bias && !add ? g->bias + n0 : NULL, add);
    }
}

/* By all threads of the team. */
static void multiply_block(const struct lp_gemm *g, const struct block *b, float *x_panels, float *w_panel) {
    int64_t panels = ceil_div(b->rows, b->panel_rows), columns = ceil_div(g->N, g->tile_columns);
    int64_t wanted = omp_get_num_threads() == 1 ? 1 : 4 * omp_get_num_threads();
    int64_t stretches = least(panels, ceil_div(wanted, columns)), length = ceil_div(panels, stretches);
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < panels; p++)
        g->pack_x(x_panels + p * b->panel_rows * b->units, g, b->m0 + p * b->panel_rows,
                  (int)least(b->panel_rows, b->rows - p * b->panel_rows), b->u0, b->units);
#pragma omp for schedule(dynamic)
    for (int64_t i = 0; i < columns * stretches; i++) {
        int64_t first = i % stretches * length;
        if (first < panels)
            multiply_stretch(g, b, x_panels, w_panel, i / stretches, first, least(first + length, panels));
    }
}

bool lp_gemm(const struct lp_gemm *g) {
    int64_t part_units = whole_steps(g, even_part(g->units, g->most_units)),
            part_rows = even_part(g->M, BLOCK_ROWS);
    int64_t w_size = ceil_div(part_units * g->tile_columns, 16) * 16,
            x_size = part_units * part_rows + g->tile_rows * g->step; /* a tile may read past its rows */
    int threads = g->M * g->N * g->units >= PARALLEL_WORK ? omp_get_max_threads() : 1;
    float *w_panels = lp_scratch((size_t)(w_size * threads + x_size)),
          *x_panels = w_panels + w_size * threads;
    if (!w_panels)
        return false;
#pragma omp parallel num_threads(threads) if (threads > 1)
    for (int64_t u0 = 0; u0 < g->units; u0 += part_units)
        for (int64_t m0 = 0; m0 < g->M; m0 += part_rows) {
            struct block b = {.m0 = m0, .rows = least(part_rows, g->M - m0), .u0 = u0};
            b.units = whole_steps(g, least(part_units, g->units - u0));
            b.panel_rows = even_part(b.rows, g->tile_rows);
            multiply_block(g, &b, x_panels, w_panels + w_size * omp_get_thread_num());
        }
    return true;
}
