/* SPDX-License-Identifier: MIT */
/* op/windows.c - a map cut into square windows, and put together again.
 * x [H*W,C], places row after row <-> y [n*side*side,C], window after window; what windows at the right and
 * at the bottom have too much is zeros. Shifted (Liu et al. 2021, arXiv:2103.14030, figure 4), the map and
 * what it has too much roll up and left by `shift` places first. All are choices of rows: see
 * pick_rows.c. */
#include "op/op.h"

#include <string.h>

static int64_t windows_along(int64_t n, int64_t side) {
    return (n + side - 1) / side;
}

/* Where place `i` of the map lies among the windows. */
static int64_t place_of(int64_t i, int64_t H, int64_t W, int64_t side, int64_t shift) {
    int64_t down = windows_along(H, side) * side, across = windows_along(W, side) * side;
    int64_t row = (i / W + down - shift) % down, column = (i % W + across - shift) % across;
    int64_t window = row / side * (across / side) + column / side;
    return (window * side + row % side) * side + column % side;
}

static lp_tensor *zeros(lp_run *r, int64_t C) {
    lp_tensor *x = lp_new(r, 2, (int64_t)1, C);
    if (x)
        memset(lp_f32(x), 0, sizeof(float) * (size_t)C);
    return x;
}

lp_tensor *lp_windows(lp_run *r, lp_tensor *x, int64_t H, int64_t W, int64_t side, int64_t shift) {
    if (!lp_enter(r, "windows"))
        return NULL;
    if (shift < 0 || shift >= side)
        return lp_fail(r, LP_ESHAPE, "windows of %ld do not shift by %ld", (long)side, (long)shift);
    if (lp_rows(x) != H * W)
        return lp_fail(r, LP_ESHAPE, "%ld rows are no map of %ld x %ld", (long)lp_rows(x), (long)H, (long)W);
    int64_t n = windows_along(H, side) * windows_along(W, side) * side * side;
    int32_t *index = lp_run_alloc(r, sizeof *index * (size_t)n);
    lp_tensor *outside = zeros(r, lp_dim(x, -1));
    if (!index || !outside)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        index[i] = -1;
    for (int64_t i = 0; i < H * W; i++)
        index[place_of(i, H, W, side, shift)] = (int32_t)i;
    return lp_pick_rows(r, x, outside, index, n);
}

lp_tensor *lp_unwindows(lp_run *r, lp_tensor *x, int64_t H, int64_t W, int64_t side, int64_t shift) {
    if (!lp_enter(r, "unwindows"))
        return NULL;
    int32_t *index = lp_run_alloc(r, sizeof *index * (size_t)(H * W));
    if (!index)
        return NULL;
    for (int64_t i = 0; i < H * W; i++)
        index[i] = (int32_t)place_of(i, H, W, side, shift);
    return lp_pick_rows(r, x, NULL, index, H * W);
}
