/* SPDX-License-Identifier: MIT */
/* vector/rows.h - y[M,N] = x[M,K] w[N,K]^T for few rows of x: w is streamed once, in place, and dotted with
 * every row of x. Needs vec and vector/tile.h. */
#ifndef LP_KERNEL_VECTOR_ROWS_H
#define LP_KERNEL_VECTOR_ROWS_H

#include "kernel/kernel.h"
#include "kernel/portable/half.h"

ALWAYS_INLINE vec load_weights(const void *w, enum lp_dtype type, int64_t at) {
    if (type == LP_F32)
        return vec_load((const float *)w + at);
    const uint16_t *half = (const uint16_t *)w + at;
    return type == LP_BF16 ? vec_load_bf16(half) : vec_load_f16(half);
}

ALWAYS_INLINE void load_weight_pair(vec a[2], const void *w, enum lp_dtype type, int64_t at) {
    const uint16_t *half = (const uint16_t *)w + at;
    if (type == LP_BF16) {
        vec_load_bf16_pair(a, half);
    } else if (type == LP_F16) {
        vec_load_f16_pair(a, half);
    } else {
        a[0] = load_weights(w, type, at);
        a[1] = load_weights(w, type, at + LANES);
    }
}

ALWAYS_INLINE float one_weight(const void *w, enum lp_dtype type, int64_t at) {
    if (type == LP_F32)
        return ((const float *)w)[at];
    uint16_t half = ((const uint16_t *)w)[at];
    return type == LP_BF16 ? lp_bf16_to_f32(half) : lp_f16_to_f32(half);
}

/* Rows n..n+3 of w with all M rows of x. */
ALWAYS_INLINE void dot_four(int M, float *y, const float *x, const void *w, enum lp_dtype type,
                            const float *bias, int64_t n, int64_t N, int64_t K) {
    vec sum[6][4];
    int64_t k = 0;
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 4; j++)
            sum[m][j] = vec_set(0);
    for (; k + LANES <= K; k += LANES) {
        vec a[4];
        for (int j = 0; j < 4; j++)
            a[j] = load_weights(w, type, (n + j) * K + k);
        for (int m = 0; m < M; m++) {
            vec f = vec_load(x + m * K + k);
            for (int j = 0; j < 4; j++)
                sum[m][j] = vec_fma(a[j], f, sum[m][j]);
        }
    }
    for (int m = 0; m < M; m++) {
        float *out = y + m * N + n;
        _mm_storeu_ps(out, vec_sum4(sum[m][0], sum[m][1], sum[m][2], sum[m][3]));
        for (int j = 0; j < 4; j++) {
            for (int64_t i = k; i < K; i++)
                out[j] += x[m * K + i] * one_weight(w, type, (n + j) * K + i);
            out[j] += bias ? bias[n + j] : 0;
        }
    }
}

/* Row n of w with all M rows of x. */
ALWAYS_INLINE void dot_one(int M, float *y, const float *x, const void *w, enum lp_dtype type,
                           const float *bias, int64_t n, int64_t N, int64_t K) {
    vec sum[6][4];
    int64_t k = 0;
    for (int m = 0; m < M; m++)
        for (int j = 0; j < 4; j++)
            sum[m][j] = vec_set(0);
    for (; k + 4 * LANES <= K; k += 4 * LANES)
        for (int j = 0; j < 4; j += 2) {
            vec a[2];
            load_weight_pair(a, w, type, n * K + k + j * LANES);
            for (int m = 0; m < M; m++) {
                const float *f = x + m * K + k + j * LANES;
                sum[m][j] = vec_fma(a[0], vec_load(f), sum[m][j]);
                sum[m][j + 1] = vec_fma(a[1], vec_load(f + LANES), sum[m][j + 1]);
            }
        }
    for (int m = 0; m < M; m++) {
        float total = vec_sum((sum[m][0] + sum[m][1]) + (sum[m][2] + sum[m][3]));
        for (int64_t i = k; i < K; i++)
            total += x[m * K + i] * one_weight(w, type, n * K + i);
        y[m * N + n] = total + (bias ? bias[n] : 0);
    }
}

/* By all threads of the team. One or two rows of x are bound by memory, which is read fastest from end to end; for more,
 * four rows of w at once save loads of x. */
ALWAYS_INLINE void dot_rows(int M, float *y, const float *x, const void *w, enum lp_dtype type,
                            const float *bias, int64_t N, int64_t K) {
    enum { CHUNK = 32 };
    if (M > FEW_ROWS)
        return; /* so that narrower instruction sets carry no code for it */
#pragma omp for schedule(dynamic) nowait
    for (int64_t n0 = 0; n0 < N; n0 += CHUNK) {
        int64_t n = n0, end = N < n0 + CHUNK ? N : n0 + CHUNK;
        for (; M > 2 && n + 4 <= end; n += 4)
            dot_four(M, y, x, w, type, bias, n, N, K);
        for (; n < end; n++)
            dot_one(M, y, x, w, type, bias, n, N, K);
    }
}

ALWAYS_INLINE void dot_rows_of(int64_t M, float *y, const float *x, const void *w, enum lp_dtype type,
                               const float *bias, int64_t N, int64_t K) {
    switch (M) {
    case 1:
        dot_rows(1, y, x, w, type, bias, N, K);
        break;
    case 2:
        dot_rows(2, y, x, w, type, bias, N, K);
        break;
    case 3:
        dot_rows(3, y, x, w, type, bias, N, K);
        break;
    case 4:
        dot_rows(4, y, x, w, type, bias, N, K);
        break;
    case 5:
        dot_rows(5, y, x, w, type, bias, N, K);
        break;
    case 6:
        dot_rows(6, y, x, w, type, bias, N, K);
        break;
    }
}

/* M <= FEW_ROWS. The team begins here: what a parallel region holds becomes a function, to which a count of rows and a
 * type from outside would be variables. */
static inline void matmul_few_rows(float *y, const float *x, const void *w, enum lp_dtype type,
                                   const float *bias, int64_t M, int64_t N, int64_t K) {
#pragma omp parallel if (M * N * K >= 1 << 18)
    if (type == LP_F32)
        dot_rows_of(M, y, x, w, LP_F32, bias, N, K);
    else if (type == LP_BF16)
        dot_rows_of(M, y, x, w, LP_BF16, bias, N, K);
    else
        dot_rows_of(M, y, x, w, LP_F16, bias, N, K);
}

#endif
