/* SPDX-License-Identifier: MIT */
/* portable/softmax.c - e^x over the sum of e^x of its row. */
#include "kernel/portable/portable.h"

#include <math.h>

void lp_portable_softmax(float *y, const float *x, int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C * 8 >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * C;
        float *out = y + r * C, top = -INFINITY;
        double total = 0;
        for (int64_t c = 0; c < C; c++)
            top = fmaxf(top, in[c]);
        for (int64_t c = 0; c < C; c++)
            total += out[c] = expf(in[c] - top);
        for (int64_t c = 0; c < C; c++)
            out[c] *= (float)(1 / total);
    }
}
