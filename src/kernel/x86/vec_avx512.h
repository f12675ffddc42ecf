/* SPDX-License-Identifier: MIT */
/* vec_avx512.h - a register of 16 floats, and the little that the shared kernels in kernel/vector need of it.
 * Plain arithmetic is written with operators. */
#ifndef LP_KERNEL_X86_VEC_AVX512_H
#define LP_KERNEL_X86_VEC_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

typedef __m512 vec;

/* Rows of a register tile; rows of x that are too few to copy weights for. */
enum { LANES = 16, TILE_ROWS = 12, FEW_ROWS = 6 };

static inline vec vec_set(float f) {
    return _mm512_set1_ps(f);
}
static inline vec vec_load(const float *p) {
    return _mm512_loadu_ps(p);
}
static inline void vec_store(float *p, vec a) {
    _mm512_storeu_ps(p, a);
}
static inline __mmask16 vec_first(int64_t n) {
    return (__mmask16)((1u << n) - 1);
}
/* The first n numbers, 0 <= n <= 16; the others are zero, or not written. */
static inline vec vec_load_n(const float *p, int64_t n) {
    return _mm512_maskz_loadu_ps(vec_first(n), p);
}
static inline void vec_store_n(float *p, vec a, int64_t n) {
    _mm512_mask_storeu_ps(p, vec_first(n), a);
}
/* The first n lanes of a, the others from b. */
static inline vec vec_select_n(vec a, vec b, int64_t n) {
    return _mm512_mask_blend_ps(vec_first(n), b, a);
}
static inline vec vec_load_bf16(const uint16_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
static inline vec vec_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
/* 2 LANES numbers by one load: memory comes a third faster so. */
static inline void vec_load_bf16_pair(vec a[2], const uint16_t *p) {
    __m512i both = _mm512_loadu_si512(p);
    a[0] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)), 16));
    a[1] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16));
}
static inline void vec_load_f16_pair(vec a[2], const uint16_t *p) {
    __m512i both = _mm512_loadu_si512(p);
    a[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(both));
    a[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1));
}
static inline void vec_store_f16(uint16_t *p, vec a) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
static inline vec vec_fma(vec a, vec b, vec c) { /* a b + c */
    return _mm512_fmadd_ps(a, b, c);
}
static inline vec vec_max(vec a, vec b) {
    return _mm512_max_ps(a, b);
}
static inline vec vec_min(vec a, vec b) {
    return _mm512_min_ps(a, b);
}
static inline vec vec_sqrt(vec a) {
    return _mm512_sqrt_ps(a);
}
static inline vec vec_round(vec a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/* a * 2^n, n integral. */
static inline vec vec_scale2(vec a, vec n) {
    return _mm512_scalef_ps(a, n);
}
/* low where a < b, else high. */
static inline vec vec_where_less(vec a, vec b, vec low, vec high) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), high, low);
}
static inline float vec_sum(vec a) {
    return _mm512_reduce_add_ps(a);
}
static inline float vec_highest(vec a) {
    return _mm512_reduce_max_ps(a);
}
/* The four sums of four registers. */
static inline __m128 vec_sum4(vec a, vec b, vec c, vec d) {
    vec ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b),
        cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
    vec abcd = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))) +
               _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)));
    __m256 half = _mm512_castps512_ps256(abcd) + _mm512_extractf32x8_ps(abcd, 1);
    return _mm256_castps256_ps128(half) + _mm256_extractf128_ps(half, 1);
}
/* Four numbers of each of rows 0, 4, 8, 12. */
static inline vec vec_load_quarters(const float *const *row, int64_t at) {
    vec a = _mm512_castps128_ps512(_mm_loadu_ps(row[0] + at));
    a = _mm512_insertf32x4(a, _mm_loadu_ps(row[4] + at), 1);
    a = _mm512_insertf32x4(a, _mm_loadu_ps(row[8] + at), 2);
    return _mm512_insertf32x4(a, _mm_loadu_ps(row[12] + at), 3);
}
/* Transposes 4x4 numbers within each 128-bit lane. */
static inline void vec_transpose4(vec r[4]) {
    __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(r[0], r[1])),
            b = _mm512_castps_pd(_mm512_unpackhi_ps(r[0], r[1]));
    __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(r[2], r[3])),
            d = _mm512_castps_pd(_mm512_unpackhi_ps(r[2], r[3]));
    r[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    r[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    r[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    r[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
}

#endif
