/* SPDX-License-Identifier: MIT */
/* block.h - GGML's blocks of quantised numbers (q8_0, q4_0, q4_K, q6_K) as integers and scales.
 * A number is scale * code - min, with one scale and one min for each group of 16 or 32 neighbours; both
 * products are exact in float32. */
#ifndef LP_KERNEL_PORTABLE_BLOCK_H
#define LP_KERNEL_PORTABLE_BLOCK_H

#include "base/dtype.h"
#include "kernel/portable/half.h"

#include <math.h>

enum { LP_BLOCK_MOST = 256, LP_BLOCK_BYTES_MOST = 210, LP_GROUPS_MOST = 16, LP_BLOCK_FIELDS = 14 };

/* A part of a block in the file: `bytes` from byte `at` on, made of units of 1, 2 or 4 bytes. */
struct lp_block_field {
    int at, bytes, unit;
};

struct lp_block_format {
    int columns, bytes, group;                    /* numbers and bytes of a block; numbers of a group */
    struct lp_block_field field[LP_BLOCK_FIELDS]; /* in the order of a packed panel; bytes 0 ends the list */
};

/* NULL for a type without blocks. */
const struct lp_block_format *lp_block_format(enum lp_dtype type);

struct lp_block {
    int8_t code[LP_BLOCK_MOST];
    float scale[LP_GROUPS_MOST], min[LP_GROUPS_MOST];
};

void lp_block_split(struct lp_block *b, const uint8_t *block, enum lp_dtype type);

/* Rows of n numbers in all, whole blocks. */
void lp_dequantize(float *y, const void *x, enum lp_dtype type, int64_t n);
void lp_quantize(void *y, const float *x, enum lp_dtype type, int64_t n);

/* To the nearest integer, halves to the even one; |f| < 2^22. */
static inline int lp_round_even(float f) {
    return (int)((f + 0x1.8p23f) - 0x1.8p23f);
}

enum { LP_INFINITY_BITS = 0x7f800000 };
#define LP_ACTIVATION_LEAST 1e-30f

/* A group of activations as codes -127..127; returns their scale. What is smaller than LP_ACTIVATION_LEAST is
 * zero; an infinity or a NaN makes the scale NaN. The kernels of all instruction sets give the same codes. */
static inline float lp_activation_codes(int8_t *code, const float *x, int n) {
    uint32_t most = 0;
    for (int i = 0; i < n; i++) {
        uint32_t bits = lp_float_bits(x[i]) & 0x7fffffff;
        most = bits > most ? bits : most;
    }
    float max = lp_bits_float(most);
    if (most >= LP_INFINITY_BITS || max < LP_ACTIVATION_LEAST) {
        memset(code, 0, (size_t)n);
        return most >= LP_INFINITY_BITS ? NAN : 0;
    }
    float inverse = 127 / max;
    for (int i = 0; i < n; i++)
        code[i] = (int8_t)lp_round_even(x[i] * inverse);
    return max / 127;
}

#endif
