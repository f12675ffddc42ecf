/* SPDX-License-Identifier: MIT */
/* What the tests of layers share. */
#ifndef LP_TESTS_NN_TESTING_H
#define LP_TESTS_NN_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "nn/layers.h"

static inline void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static inline lp_run *run_open(void) {
    struct lp_error err = {0};
    lp_run *r = lp_run_open(lp_kernels_find("portable"), (size_t)16 << 20, &err);
    require(r != NULL, &err);
    return r;
}

/* [rows,columns] of first, first + 1, .. */
static inline lp_tensor *counted(lp_run *r, int64_t rows, int64_t columns, float first) {
    lp_tensor *x = lp_new(r, 2, rows, columns);
    for (int64_t i = 0; i < rows * columns; i++)
        lp_f32(x)[i] = first + (float)i;
    return x;
}

#endif
