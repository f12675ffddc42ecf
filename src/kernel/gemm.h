/* SPDX-License-Identifier: MIT */
/* gemm.h - the blocked matrix product that instruction sets share: y[M,N] (+)= x[M,units] w[units,N].
 * A unit is what one lane of a register multiplies at once: one float, or two bf16 that follow each other in
 * K. The instruction set brings the functions that copy panels and multiply one register tile. */
#ifndef LP_KERNEL_GEMM_H
#define LP_KERNEL_GEMM_H

#include "kernel/kernel.h"

enum { GEMM_UNITS = 2048 };

struct lp_gemm {
    float *y;
    const float *x;
    const void *w;
    enum lp_dtype type;
    const float *bias; /* NULL for none; not together with add */
    int64_t M, N, K, units;
    int64_t step;       /* panels hold a multiple of so many units; 0 for 1 */
    int64_t most_units; /* of a panel: GEMM_UNITS where nothing else is better */
    bool add;
    int tile_rows, tile_columns; /* at most so many rows of x, so many columns of w in one tile */

    /* panel[n][rows] = units u0.. of x's rows m0.., or in the order that `tile` reads. Of the last units, n
     * of which are a multiple of step, some may be missing; so in pack_w. */
    void (*pack_x)(float *panel, const struct lp_gemm *g, int64_t m0, int rows, int64_t u0, int64_t n);
    /* Units u0.. of w's columns n0.., those past `columns` may hold anything: copied to
     * panel[n][tile_columns], or where they lie in w. */
    const void *(*pack_w)(float *panel, const struct lp_gemm *g, int64_t n0, int columns, int64_t u0,
                          int64_t n);
    /* y[rows][columns] = product of two panels of n units (+ bias, or + what was there); y's rows are N
     * apart. */
    void (*tile)(const struct lp_gemm *g, float *y, int rows, int columns, const float *x, const void *w,
                 int64_t n, const float *bias, bool add);
};

/* False, and nothing done, when memory for the panels is lacking. */
bool lp_gemm(const struct lp_gemm *g);

#endif
