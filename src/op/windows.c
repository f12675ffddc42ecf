/* SPDX-License-Identifier: MIT */
/* op/windows.c - a map cut into square windows, and put together again (Li et al. 2022, arXiv:2203.16527).
 * x [H*W,C], places row after row <-> y [n*side*side,C], window after window; what windows at the right and
 * at the bottom have too much is a given row. Both are choices of rows: see pick_rows.c. */
#include "op/op.h"

#include <string.h>

static int64_t windows_along(int64_t n, int64_t side) {
    return (n + side - 1) / side;
}

/* Where place (row, column) lies among the windows. */
static int64_t place_of(int64_t row, int64_t column, int64_t W, int64_t side) {
    int64_t window = row / side * windows_along(W, side) + column / side;
    return (window * side + row % side) * side + column % side;
}

static lp_tensor *zeros(lp_run *r, int64_t C) {
    lp_tensor *x = lp_new(r, 2, (int64_t)1, C);
    if (x)
        memset(lp_f32(x), 0, sizeof(float) * (size_t)C);
    return x;
}

lp_tensor *lp_windows(lp_run *r, lp_tensor *x, lp_tensor *fill, int64_t H, int64_t W, int64_t side) {
    if (!lp_enter(r, "windows"))
        return NULL;
    if (side < 1 || lp_rows(x) != H * W)
        return lp_fail(r, LP_ESHAPE, "%ld rows are no map of %ld x %ld", (long)lp_rows(x), (long)H, (long)W);
    int64_t n = windows_along(H, side) * windows_along(W, side) * side * side;
    int32_t *index = lp_run_alloc(r, sizeof *index * (size_t)n);
    if (!fill)
        fill = zeros(r, lp_dim(x, -1));
    if (!index || !fill)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        index[i] = -1;
    for (int64_t i = 0; i < H * W; i++)
        index[place_of(i / W, i % W, W, side)] = (int32_t)i;
    return lp_pick_rows(r, x, fill, index, n);
}

lp_tensor *lp_unwindows(lp_run *r, lp_tensor *x, int64_t H, int64_t W, int64_t side) {
    if (!lp_enter(r, "unwindows"))
        return NULL;
    int32_t *index = lp_run_alloc(r, sizeof *index * (size_t)(H * W));
    if (!index)
        return NULL;
    for (int64_t i = 0; i < H * W; i++)
        index[i] = (int32_t)place_of(i / W, i % W, W, side);
    return lp_pick_rows(r, x, NULL, index, H * W);
}
