/* SPDX-License-Identifier: MIT */
/* portable/loss.c - softmax cross entropy over rows of logits [rows, C]. A target outside 0..C-1 (-100 by
 * convention) is ignored: loss 0, no gradient. */
#include "kernel/portable/portable.h"

#include <math.h>

static bool counts(int32_t target, int64_t C) {
    return target >= 0 && target < C;
}

void lp_portable_cross_entropy(float *loss, float *prob, const float *logits, const int32_t *target,
                               int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C * 8 >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = logits + r * C;
        float top = -INFINITY;
        double total = 0;
        for (int64_t c = 0; c < C; c++)
            top = fmaxf(top, in[c]);
        for (int64_t c = 0; c < C; c++)
            total += expf(in[c] - top);
        if (prob)
            for (int64_t c = 0; c < C; c++)
                prob[r * C + c] = expf(in[c] - top) / (float)total;
        loss[r] = counts(target[r], C) ? (float)log(total) + top - in[target[r]] : 0;
    }
}

void lp_portable_cross_entropy_grad(float *dlogits, const float *prob, const int32_t *target, float scale,
                                    int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        if (!counts(target[r], C))
            continue;
        for (int64_t c = 0; c < C; c++)
            dlogits[r * C + c] += scale * prob[r * C + c];
        dlogits[r * C + target[r]] -= scale;
    }
}
