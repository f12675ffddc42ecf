/* SPDX-License-Identifier: MIT */
/* ivec_avx512_vnni.h - a register of 16 int32, or of 64 codes of 8 bits, as vector/packed.h needs it. */
#ifndef LP_KERNEL_X86_IVEC_AVX512_VNNI_H
#define LP_KERNEL_X86_IVEC_AVX512_VNNI_H

#include "kernel/x86/vec_avx512.h"

typedef __m512i ivec;

/* Rows of a register tile of many rows of x; rows of x that are multiplied with weights as they stream by;
 * what ivec_code adds to a signed code. */
enum { PACKED_TILE_ROWS = 6, PACKED_FEW_ROWS = 8, CODE_ZERO = 128 };

static inline ivec ivec_set(int32_t i) {
    return _mm512_set1_epi32(i);
}
static inline ivec ivec_load(const uint8_t *p) {
    return _mm512_loadu_si512(p);
}
static inline void ivec_store(uint8_t *p, ivec a) {
    _mm512_storeu_si512(p, a);
}
static inline ivec ivec_add(ivec a, ivec b) {
    return _mm512_add_epi32(a, b);
}
static inline ivec ivec_or(ivec a, ivec b) {
    return _mm512_or_si512(a, b);
}
/* Bits of every byte of a, shifted; `mask` says which bits of the result count. */
static inline ivec ivec_bits_right(ivec a, int n, int mask) {
    return _mm512_and_si512(_mm512_srli_epi16(a, (unsigned)n), _mm512_set1_epi8((char)mask));
}
static inline ivec ivec_bits_left(ivec a, int n, int mask) {
    return _mm512_and_si512(_mm512_slli_epi16(a, (unsigned)n), _mm512_set1_epi8((char)mask));
}
/* Signed codes of 8 bits as ivec_dot takes them. */
static inline ivec ivec_code(ivec a) {
    return _mm512_xor_si512(a, _mm512_set1_epi8((char)128));
}
/* sum + codes x, four neighbours to a lane. Codes are unsigned; `wide` where they come from ivec_code. */
static inline ivec ivec_dot(bool wide, ivec sum, ivec codes, ivec x) {
    (void)wide;
    return _mm512_dpbusd_epi32(sum, codes, x);
}
static inline vec vec_of_ivec(ivec a) {
    return _mm512_cvtepi32_ps(a);
}
static inline vec vec_of_u8(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline vec vec_of_s8(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
/* Rounds to the nearest integer -127..127, halves to the even one. */
static inline void vec_store_s8(int8_t *p, vec a) {
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a)));
}
/* The most of the lanes' bits without their sign: of floats, the largest size; NaN is more than infinity. */
static inline ivec ivec_most_bits(ivec most, vec a) {
    return _mm512_max_epi32(most, _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff)));
}
static inline int32_t ivec_highest(ivec a) {
    return _mm512_reduce_max_epi32(a);
}

#endif
