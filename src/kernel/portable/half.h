/* SPDX-License-Identifier: MIT */
/* half.h - single numbers between float32, IEEE binary16 and bfloat16, by their bits. */
#ifndef LP_KERNEL_PORTABLE_HALF_H
#define LP_KERNEL_PORTABLE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float lp_bits_float(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t lp_float_bits(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float lp_bf16_to_f32(uint16_t h) {
    return lp_bits_float((uint32_t)h << 16);
}

static inline uint16_t lp_f32_to_bf16(float f) {
    uint32_t bits = lp_float_bits(f);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40); /* a NaN stays one */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float lp_f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    if (rest >= 0x7c00) /* infinity, NaN */
        return lp_bits_float(sign | 0x7f800000 | rest << 13);
    if (rest < 0x0400) /* zero, subnormal: rest * 2^-24 */
        return lp_bits_float(sign | lp_float_bits((float)rest * 0x1p-24f));
    return lp_bits_float(sign | ((rest << 13) + 0x38000000));
}

static inline uint16_t lp_f32_to_f16(float f) {
    uint32_t bits = lp_float_bits(f), sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (rest >> 13 & 0x3ff));
    if (rest >= 0x477ff000) /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7c00);
    if (rest < 0x38800000) /* below 2^-14: adding 0.5 leaves the subnormal's bits, rounded, at the low end */
        return (uint16_t)(sign | (lp_float_bits(lp_bits_float(rest) + 0.5f) - 0x3f000000));
    return (uint16_t)(sign | ((rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13));
}

#endif
