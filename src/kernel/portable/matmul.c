/* SPDX-License-Identifier: MIT */
/* portable/matmul.c - the three matrix products of a linear layer, and the sum over rows.
 * All three are one product over strides: a tile of w is copied to [k][NR] so that the innermost loop runs
 * over NR neighbours, for MR rows of x at once. */
#include "kernel/portable/block.h"
#include "kernel/portable/portable.h"

enum { MR = 4, NR = 16, KB = 256, MB = 128 };

/* x(m,k) = x[m * x_m + k * x_k], w(k,n) = w[n * w_n + k * w_k]. */
struct product {
    float *y;
    const float *x;
    const void *w;
    enum lp_dtype type;
    int64_t M, N, K, x_m, x_k, w_n, w_k;
};

static float weight(const struct product *p, int64_t k, int64_t n) {
    int64_t at = n * p->w_n + k * p->w_k;
    if (p->type == LP_F32)
        return ((const float *)p->w)[at];
    uint16_t half = ((const uint16_t *)p->w)[at];
    return p->type == LP_BF16 ? lp_bf16_to_f32(half) : lp_f16_to_f32(half);
}

/* Of rows of blocks: KB is a whole number of them. */
static void pack_blocks(float tile[KB][NR], const struct product *p, int64_t k0, int64_t n0, int64_t kn,
                        int64_t nn) {
    float row[KB];
    for (int64_t j = 0; j < NR; j++) {
        if (j < nn)
            lp_dequantize(row, (const char *)p->w + lp_dtype_row_bytes(p->type, (n0 + j) * p->K + k0),
                          p->type, kn);
        for (int64_t k = 0; k < kn; k++)
            tile[k][j] = j < nn ? row[k] : 0;
    }
}

static void pack(float tile[KB][NR], const struct product *p, int64_t k0, int64_t n0, int64_t kn,
                 int64_t nn) {
    if (lp_dtype_block(p->type) > 1) {
        pack_blocks(tile, p, k0, n0, kn, nn);
        return;
    }
    for (int64_t j = 0; j < NR; j++)
        for (int64_t k = 0; k < kn; k++)
            tile[k][j] = j < nn ? weight(p, k0 + k, n0 + j) : 0;
}

/* y[mn, nn] += x[mn, kn] tile[kn, nn]. */
static void multiply(const struct product *p, float tile[KB][NR], int64_t m0, int64_t mn, int64_t n0,
                     int64_t nn, int64_t k0, int64_t kn) {
    float sum[MR][NR] = {{0}};
    const float *x = p->x + m0 * p->x_m + k0 * p->x_k;
    if (mn == MR)
        for (int64_t k = 0; k < kn; k++)
            for (int i = 0; i < MR; i++) {
                float f = x[i * p->x_m + k * p->x_k];
                for (int j = 0; j < NR; j++)
                    sum[i][j] += f * tile[k][j];
            }
    else
        for (int64_t i = 0; i < mn; i++)
            for (int64_t k = 0; k < kn; k++)
                for (int j = 0; j < NR; j++)
                    sum[i][j] += x[i * p->x_m + k * p->x_k] * tile[k][j];
    for (int64_t i = 0; i < mn; i++)
        for (int64_t j = 0; j < nn; j++)
            p->y[(m0 + i) * p->N + n0 + j] += sum[i][j];
}

static void add_product(const struct product *p) {
#pragma omp parallel for collapse(2) if (p->M * p->N * p->K >= LP_PARALLEL_WORK)
    for (int64_t mb = 0; mb < p->M; mb += MB)
        for (int64_t n0 = 0; n0 < p->N; n0 += NR) {
            float tile[KB][NR];
            int64_t m1 = mb + MB < p->M ? mb + MB : p->M, nn = p->N - n0 < NR ? p->N - n0 : NR;
            for (int64_t k0 = 0; k0 < p->K; k0 += KB) {
                int64_t kn = p->K - k0 < KB ? p->K - k0 : KB;
                pack(tile, p, k0, n0, kn, nn);
                for (int64_t m = mb; m < m1; m += MR)
                    multiply(p, tile, m, m1 - m < MR ? m1 - m : MR, n0, nn, k0, kn);
            }
        }
}

void lp_portable_matmul_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                           int64_t M, int64_t N, int64_t K) {
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++)
            y[m * N + n] = bias ? bias[n] : 0;
    add_product(&(struct product){y, x, w, type, M, N, K, .x_m = K, .x_k = 1, .w_n = K, .w_k = 1});
}

void lp_portable_matmul_nn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K,
                           bool add) {
    if (!add)
        memset(y, 0, (size_t)(M * N) * sizeof *y);
    add_product(&(struct product){y, x, w, LP_F32, M, N, K, .x_m = K, .x_k = 1, .w_n = 1, .w_k = N});
}

void lp_portable_matmul_tn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K) {
    add_product(&(struct product){y, x, w, LP_F32, M, N, K, .x_m = 1, .x_k = M, .w_n = 1, .w_k = N});
}

void lp_portable_sum_rows(float *y, const float *x, int64_t M, int64_t N) {
    enum { COLUMNS = 64 };
#pragma omp parallel for if (M * N >= LP_PARALLEL_WORK)
    for (int64_t n0 = 0; n0 < N; n0 += COLUMNS) {
        int64_t n1 = n0 + COLUMNS < N ? n0 + COLUMNS : N;
        for (int64_t m = 0; m < M; m++)
            for (int64_t n = n0; n < n1; n++)
                y[n] += x[m * N + n];
    }
}
