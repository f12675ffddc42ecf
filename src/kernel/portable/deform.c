/* SPDX-License-Identifier: MIT */
/* portable/deform.c - weighted sums of samples between the places of several maps. */
#include "kernel/portable/deform.h"
#include "kernel/portable/portable.h"

void lp_portable_deformable_attention(float *y, const float *value, const float *offset, const float *weight,
                                      const float *reference, const struct lp_deform_shape *s) {
    int64_t work = s->queries * s->heads * s->D * s->levels * s->points * 4;
#pragma omp parallel for if (work >= LP_PARALLEL_WORK)
    for (int64_t q = 0; q < s->queries; q++) {
        struct lp_deform_corner corner[4 * LP_DEFORM_LEVELS * LP_DEFORM_POINTS];
        for (int64_t h = 0; h < s->heads; h++) {
            float *out = y + (q * s->heads + h) * s->D;
            int n = lp_deform_corners(corner, value, offset, weight, reference, s, q, h);
            for (int64_t d = 0; d < s->D; d++)
                out[d] = 0;
            for (int i = 0; i < n; i++)
                for (int64_t d = 0; d < s->D; d++)
                    out[d] += corner[i].share * corner[i].at[d];
        }
    }
}
