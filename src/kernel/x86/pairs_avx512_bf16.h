/* SPDX-License-Identifier: MIT */
/* pairs_avx512_bf16.h - tiles and panels whose unit is a pair of bf16, multiplied and summed by VDPBF16PS. */
#ifndef LP_KERNEL_X86_PAIRS_AVX512_BF16_H
#define LP_KERNEL_X86_PAIRS_AVX512_BF16_H

#include "kernel/x86/vec_avx512.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)x);
}

#include "kernel/vector/tile.h"

#include "kernel/vector/pack.h"

enum { PAIRS = 256 }; /* are turned at once */

/* n numbers as bf16, n even. */
static inline void round_to_pairs(float *pairs, const float *x, int64_t n) {
    char *out = (char *)pairs;
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(out + 2 * i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
    if (i < n)
        _mm256_mask_storeu_epi16(out + 2 * i, vec_first(n - i),
                                 (__m256i)_mm512_cvtneps_pbh(vec_load_n(x + i, n - i)));
}

/* The same of n binary16 numbers. */
static inline void round_halves_to_pairs(float *pairs, const uint16_t *x, int64_t n) {
    char *out = (char *)pairs;
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 m = n - i < 16 ? vec_first(n - i) : 0xffff;
        vec wide = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, x + i));
        _mm256_mask_storeu_epi16(out + 2 * i, m, (__m256i)_mm512_cvtneps_pbh(wide));
    }
}

/* Lane by lane the pair (a, b). */
static inline vec pair_of(vec a, vec b) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23,
                                           7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a)));
}

/* Neighbours are pairs: those of a, then those of b. */
static inline vec pairs_of(vec a, vec b) {
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(b, a));
}

/* panel[u][step] = pairs of rows 2u and 2u + 1 of x[K,stride]; a row that is missing at the end is zeros. */
static inline void pair_rows(float *panel, int64_t step, const float *x, int64_t stride, int64_t K,
                             int columns, int64_t u0, int64_t n) {
    for (int64_t u = 0; u < n; u++) {
        const float *even = x + 2 * (u0 + u) * stride;
        bool whole = 2 * (u0 + u) + 1 < K;
        for (int i = 0; i < columns; i += LANES) {
            int64_t m = columns - i < LANES ? columns - i : LANES;
            vec low = vec_load_n(even + i, m), high = whole ? vec_load_n(even + stride + i, m) : vec_set(0);
            vec_store_n(panel + u * step + i, pair_of(low, high), m);
        }
    }
}

#endif
