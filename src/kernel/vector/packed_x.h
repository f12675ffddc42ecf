/* SPDX-License-Identifier: MIT */
/* vector/packed_x.h - activations as codes of 8 bits, for products with packed weights. Needs vec and ivec
 * (x86/ivec_*.h).
 *
 * Rows of x are cut into panels of at most `height` rows. A panel of h rows is, group after group of G
 * columns: h floats, the scales; h int32, what sums of products start at; h floats, scale * sum of codes;
 * [G/4][h] four codes each. */
#ifndef LP_KERNEL_VECTOR_PACKED_X_H
#define LP_KERNEL_VECTOR_PACKED_X_H

#include "kernel/portable/block.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

static inline int64_t x_group_bytes(int group, int64_t h) {
    return h * (12 + group);
}

/* lp_activation_codes, the same bits. */
ALWAYS_INLINE float round_group(int8_t *code, const float *x, int group) {
    ivec most = ivec_set(0);
    for (int i = 0; i < group; i += LANES)
        most = ivec_most_bits(most, vec_load(x + i));
    uint32_t bits = (uint32_t)ivec_highest(most);
    float max = lp_bits_float(bits), inverse = 127 / max;
    bool finite = bits < LP_INFINITY_BITS;
    if (!finite || max < LP_ACTIVATION_LEAST) {
        memset(code, 0, (size_t)group);
        return finite ? 0 : NAN;
    }
    for (int i = 0; i < group; i += LANES)
        vec_store_s8(code + i, vec_load(x + i) * vec_set(inverse));
    return max / 127;
}

/* One group of one row, row i of h. `zero` is what was added to the weights' codes. */
ALWAYS_INLINE void pack_x_group(uint8_t *out, const float *x, int group, int zero, int64_t h, int64_t i) {
    int8_t code[32];
    int32_t sum = 0;
    float scale = round_group(code, x, group);
    for (int j = 0; j < group; j++)
        sum += code[j];
    int32_t start = -zero * sum;
    float scaled = scale * (float)sum;
    memcpy(out + 4 * i, &scale, 4);
    memcpy(out + 4 * (h + i), &start, 4);
    memcpy(out + 4 * (2 * h + i), &scaled, 4);
    for (int j = 0; j < group / 4; j++)
        memcpy(out + 4 * ((3 + j) * h + i), code + 4 * j, 4);
}

/* Groups g0..g1 of the h rows of x. */
static inline void pack_x(uint8_t *panel, const float *x, int group, int zero, int64_t K, int64_t h,
                          int64_t g0, int64_t g1) {
    for (int64_t g = g0; g < g1; g++)
        for (int64_t i = 0; i < h; i++)
            if (group == 16)
                pack_x_group(panel + g * x_group_bytes(16, h), x + i * K + g * 16, 16, zero, h, i);
            else
                pack_x_group(panel + g * x_group_bytes(32, h), x + i * K + g * 32, 32, zero, h, i);
}

#endif
