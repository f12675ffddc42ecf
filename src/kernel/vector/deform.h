/* SPDX-License-Identifier: MIT */
/* vector/deform.h - weighted sums of samples between the places of several maps. Needs vec and vector/math.h.
 */
#ifndef LP_KERNEL_VECTOR_DEFORM_H
#define LP_KERNEL_VECTOR_DEFORM_H

#include "kernel/portable/deform.h"
#include "kernel/portable/portable.h"

static void deformable_attention(float *y, const float *value, const float *offset, const float *weight,
                                 const float *reference, const struct lp_deform_shape *s) {
    int64_t work = s->queries * s->heads * s->D * s->levels * s->points * 4;
#pragma omp parallel for if (work >= 4 * LP_PARALLEL_WORK)
    for (int64_t q = 0; q < s->queries; q++) {
        struct lp_deform_corner corner[4 * LP_DEFORM_LEVELS * LP_DEFORM_POINTS];
        for (int64_t h = 0; h < s->heads; h++) {
            float *out = y + (q * s->heads + h) * s->D;
            int n = lp_deform_corners(corner, value, offset, weight, reference, s, q, h);
            int64_t d = 0;
            for (; d + 2 * LANES <= s->D; d += 2 * LANES) {
                vec a = vec_set(0), b = a;
                for (int i = 0; i < n; i++) {
                    vec share = vec_set(corner[i].share);
                    a = vec_fma(share, vec_load(corner[i].at + d), a);
                    b = vec_fma(share, vec_load(corner[i].at + d + LANES), b);
                }
                vec_store(out + d, a);
                vec_store(out + d + LANES, b);
            }
            for (; d < s->D; d += LANES) {
                int64_t m = lanes_at(d, s->D);
                vec a = vec_set(0);
                for (int i = 0; i < n; i++)
                    a = vec_fma(vec_set(corner[i].share), load_part(corner[i].at + d, m), a);
                store_part(out + d, a, m);
            }
        }
    }
}

static void put_deform(struct lp_kernels *table) {
    table->deformable_attention = deformable_attention;
}

#endif
