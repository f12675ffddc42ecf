/* SPDX-License-Identifier: MIT */
/* deform.h - which numbers of the values a head's sum is made of: shared by all tables' deformable_attention.
 */
#ifndef LP_KERNEL_PORTABLE_DEFORM_H
#define LP_KERNEL_PORTABLE_DEFORM_H

#include "kernel/kernel.h"

#include <math.h>

/* D numbers at a place next to a sample, and their share of the sum. */
struct lp_deform_corner {
    const float *at;
    float share;
};

/* The four places around (x,y), in places of a map whose first is at `map`; those outside the map are zeros
 * and left out. Returns how many were added. NaN is nowhere. */
static inline int lp_deform_sample(struct lp_deform_corner corner[4], const float *map, int64_t H, int64_t W,
                                   int64_t stride, float x, float y, float weight) {
    int n = 0;
    if (!(x > -1 && y > -1 && x < (float)W && y < (float)H))
        return 0;
    float left = floorf(x), top = floorf(y), right_part = x - left, bottom_part = y - top;
    for (int i = 0; i < 4; i++) {
        int64_t column = (int64_t)left + i % 2, row = (int64_t)top + i / 2;
        if (column < 0 || column >= W || row < 0 || row >= H)
            continue;
        float across = i % 2 ? right_part : 1 - right_part, down = i / 2 ? bottom_part : 1 - bottom_part;
        corner[n++] = (struct lp_deform_corner){map + (row * W + column) * stride, weight * across * down};
    }
    return n;
}

/* All of query q's head h. corner: room for 4 * levels * points. */
static inline int lp_deform_corners(struct lp_deform_corner *corner, const float *value, const float *offset,
                                    const float *weight, const float *reference,
                                    const struct lp_deform_shape *s, int64_t q, int64_t h) {
    int64_t samples = s->levels * s->points, stride = s->heads * s->D;
    const float *to = offset + 2 * (q * s->heads + h) * samples, *w = weight + (q * s->heads + h) * samples;
    const float *at = reference + q * s->reference_size, *map = value + h * s->D;
    float part = 0.5f / (float)s->points;
    int n = 0;
    for (int64_t level = 0; level < s->levels; level++) {
        int64_t H = s->map[level].H, W = s->map[level].W;
        for (int64_t i = 0; i < s->points; i++, to += 2, w++) {
            float x = at[0] * (float)W + to[0], y = at[1] * (float)H + to[1];
            if (s->reference_size == 4) {
                x = (at[0] + to[0] * part * at[2]) * (float)W;
                y = (at[1] + to[1] * part * at[3]) * (float)H;
            }
            n += lp_deform_sample(corner + n, map, H, W, stride, x - 0.5f, y - 0.5f, *w);
        }
        map += H * W * stride;
    }
    return n;
}

#endif
