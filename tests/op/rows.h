/* SPDX-License-Identifier: MIT */
/* What tests of attention share: random inputs, and the kernel tables of this machine. */
#ifndef LP_TESTS_OP_ROWS_H
#define LP_TESTS_OP_ROWS_H

#include "op/op.h"

#include "base/rng.h"

/* Normal numbers of the given deviation. */
static inline lp_tensor *random_rows(lp_run *r, struct lp_rng *rng, int64_t rows, int64_t columns, float deviation) {
    lp_tensor *x = lp_new(r, 2, rows, columns);
    for (int64_t i = 0; i < rows * columns; i++)
        lp_f32(x)[i] = deviation * lp_rng_normal(rng);
    return x;
}

/* Calls check with `context` for every table whose kernels of attention are its own. */
static inline void with_each_kernels(void (*check)(const void *context, const struct lp_kernels *k), const void *context) {
    static const char *const names[] = {"portable", "avx2", "avx512", "avx512_bf16", "amx"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (lp_kernels_find(names[i]))
            check(context, lp_kernels_find(names[i]));
}

#endif
