/* SPDX-License-Identifier: MIT */
/* How numbers are stored: one by one, or in GGML's blocks, which share scales along a row. */
#ifndef LP_BASE_DTYPE_H
#define LP_BASE_DTYPE_H

#include <stdint.h>

enum lp_dtype { LP_F32, LP_F16, LP_BF16, LP_Q8_0, LP_Q4_0, LP_Q4_K, LP_Q6_K, LP_DTYPES /* how many */ };

/* Bytes of one number of LP_F32, LP_F16 or LP_BF16; for others see lp_dtype_row_bytes. */
static inline int64_t lp_dtype_bytes(enum lp_dtype type) {
    return type == LP_F32 ? 4 : 2;
}

/* Numbers that are stored together: a row is a whole number of blocks. 1 for the types without blocks. */
static inline int64_t lp_dtype_block(enum lp_dtype type) {
    static const int16_t numbers[LP_DTYPES] = {1, 1, 1, 32, 32, 256, 256};
    return numbers[type];
}

static inline int64_t lp_dtype_block_bytes(enum lp_dtype type) {
    static const int16_t bytes[LP_DTYPES] = {4, 2, 2, 34, 18, 144, 210};
    return bytes[type];
}

/* Bytes of a row of n numbers, or of several rows with n in all; a block that is begun counts whole. */
static inline int64_t lp_dtype_row_bytes(enum lp_dtype type, int64_t n) {
    int64_t block = lp_dtype_block(type);
    return (n / block + (n % block > 0)) * lp_dtype_block_bytes(type);
}

#endif
