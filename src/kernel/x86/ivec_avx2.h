/* SPDX-License-Identifier: MIT */
/* ivec_avx2.h - a register of 8 int32, or of 32 codes of 8 bits: ivec_avx512_vnni.h for AVX2. */
#ifndef LP_KERNEL_X86_IVEC_AVX2_H
#define LP_KERNEL_X86_IVEC_AVX2_H

#include "kernel/x86/vec_avx2.h"

typedef __m256i ivec;

enum { PACKED_TILE_ROWS = 4, PACKED_FEW_ROWS = 4, CODE_ZERO = 0 };

static inline ivec ivec_set(int32_t i) {
    return _mm256_set1_epi32(i);
}
static inline ivec ivec_load(const uint8_t *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}
static inline void ivec_store(uint8_t *p, ivec a) {
    _mm256_storeu_si256((__m256i *)p, a);
}
static inline ivec ivec_add(ivec a, ivec b) {
    return _mm256_add_epi32(a, b);
}
static inline ivec ivec_or(ivec a, ivec b) {
    return _mm256_or_si256(a, b);
}
static inline ivec ivec_bits_right(ivec a, int n, int mask) {
    return _mm256_and_si256(_mm256_srli_epi16(a, n), _mm256_set1_epi8((char)mask));
}
static inline ivec ivec_bits_left(ivec a, int n, int mask) {
    return _mm256_and_si256(_mm256_slli_epi16(a, n), _mm256_set1_epi8((char)mask));
}
static inline ivec ivec_code(ivec a) {
    return a;
}
/* The pairs of products fit 16 bits: codes below 64, or signed ones, whose sign goes to x. */
static inline ivec ivec_dot(bool wide, ivec sum, ivec codes, ivec x) {
    ivec pairs = wide ? _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes))
                      : _mm256_maddubs_epi16(codes, x);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
static inline vec vec_of_ivec(ivec a) {
    return _mm256_cvtepi32_ps(a);
}
static inline vec vec_of_u8(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline vec vec_of_s8(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline void vec_store_s8(int8_t *p, vec a) {
    ivec wide = _mm256_cvtps_epi32(a);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(half, half));
}
static inline ivec ivec_most_bits(ivec most, vec a) {
    return _mm256_max_epi32(most, _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(0x7fffffff)));
}
static inline int32_t ivec_highest(ivec a) {
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    return _mm_cvtsi128_si32(_mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

#endif
