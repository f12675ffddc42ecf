/* SPDX-License-Identifier: MIT */
/* vec_avx2.h - a register of 8 floats: vec_avx512.h for AVX2 with FMA and F16C. */
#ifndef LP_KERNEL_X86_VEC_AVX2_H
#define LP_KERNEL_X86_VEC_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

typedef __m256 vec;

enum { LANES = 8, TILE_ROWS = 6, FEW_ROWS = 3 };

static inline vec vec_set(float f) {
    return _mm256_set1_ps(f);
}
static inline vec vec_load(const float *p) {
    return _mm256_loadu_ps(p);
}
static inline void vec_store(float *p, vec a) {
    _mm256_storeu_ps(p, a);
}
static inline __m256i vec_first(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/* The first n numbers, 0 <= n <= 8; the others are zero, or not written. */
static inline vec vec_load_n(const float *p, int64_t n) {
    return _mm256_maskload_ps(p, vec_first(n));
}
static inline void vec_store_n(float *p, vec a, int64_t n) {
    _mm256_maskstore_ps(p, vec_first(n), a);
}
/* The first n lanes of a, the others from b. */
static inline vec vec_select_n(vec a, vec b, int64_t n) {
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(vec_first(n)));
}
static inline vec vec_load_bf16(const uint16_t *p) {
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
static inline vec vec_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
/* 2 LANES numbers by one load. */
static inline void vec_load_bf16_pair(vec a[2], const uint16_t *p) {
    __m256i both = _mm256_loadu_si256((const __m256i *)p);
    a[0] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(both)), 16));
    a[1] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(both, 1)), 16));
}
static inline void vec_load_f16_pair(vec a[2], const uint16_t *p) {
    __m256i both = _mm256_loadu_si256((const __m256i *)p);
    a[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(both));
    a[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(both, 1));
}
static inline void vec_store_f16(uint16_t *p, vec a) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}
static inline vec vec_fma(vec a, vec b, vec c) { /* a b + c */
    return _mm256_fmadd_ps(a, b, c);
}
static inline vec vec_max(vec a, vec b) {
    return _mm256_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b) {
    return _mm256_min_ps(a, b);
}
static inline vec vec_sqrt(vec a) {
    return _mm256_sqrt_ps(a);
}
static inline vec vec_round(vec a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* a * 2^n, n integral and within -250..250: in two steps, so that results below the normal numbers come out
 * too. */
static inline vec vec_scale2(vec a, vec n) {
    __m256i power = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(power, 1), one = _mm256_set1_epi32(127);
    __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, one), 23);
    __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(power, half), one), 23);
    return a * _mm256_castsi256_ps(first) * _mm256_castsi256_ps(second);
}
/* low where a < b, else high. */
static inline vec vec_where_less(vec a, vec b, vec low, vec high) {
    return _mm256_blendv_ps(high, low, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
/* The four sums of four registers. */
static inline __m128 vec_sum4(vec a, vec b, vec c, vec d) {
    vec sums = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm256_castps256_ps128(sums) + _mm256_extractf128_ps(sums, 1);
}
static inline float vec_sum(vec a) {
    return _mm_cvtss_f32(vec_sum4(a, a, a, a));
}
static inline float vec_highest(vec a) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}
/* Four numbers of each of rows 0 and 4. */
static inline vec vec_load_quarters(const float *const *row, int64_t at) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[0] + at)), _mm_loadu_ps(row[4] + at),
                                1);
}
/* Transposes 4x4 numbers within each 128-bit lane. */
static inline void vec_transpose4(vec r[4]) {
    __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(r[0], r[1])),
            b = _mm256_castps_pd(_mm256_unpackhi_ps(r[0], r[1]));
    __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(r[2], r[3])),
            d = _mm256_castps_pd(_mm256_unpackhi_ps(r[2], r[3]));
    r[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
    r[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
    r[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
    r[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
}

#endif
