/* SPDX-License-Identifier: MIT */
/* portable/convert.c - numbers between float32 and how they are stored; rows of a stored table. */
#include "kernel/portable/block.h"
#include "kernel/portable/portable.h"

static void widen(float *restrict y, const void *x, enum lp_dtype type, int64_t n) {
    const uint16_t *h = x;
    if (type == LP_F32)
        memcpy(y, x, (size_t)n * sizeof *y);
    else if (type == LP_BF16)
        for (int64_t i = 0; i < n; i++)
            y[i] = lp_bf16_to_f32(h[i]);
    else if (type != LP_F16)
        lp_dequantize(y, x, type, n);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = lp_f16_to_f32(h[i]);
}

static void narrow(void *y, const float *x, enum lp_dtype type, int64_t n) {
    uint16_t *restrict h = y;
    if (type == LP_F32)
        memcpy(y, x, (size_t)n * sizeof *x);
    else if (type == LP_BF16)
        for (int64_t i = 0; i < n; i++)
            h[i] = lp_f32_to_bf16(x[i]);
    else if (type != LP_F16)
        lp_quantize(y, x, type, n);
    else
        for (int64_t i = 0; i < n; i++)
            h[i] = lp_f32_to_f16(x[i]);
}

enum { CHUNK = 1 << 16 }; /* whole blocks of every type */

void lp_portable_to_f32(float *y, const void *x, enum lp_dtype type, int64_t n) {
    int64_t size = lp_dtype_row_bytes(type, CHUNK), chunks = (n + CHUNK - 1) / CHUNK;
#pragma omp parallel for if (chunks > 1)
    for (int64_t c = 0; c < chunks; c++)
        widen(y + c * CHUNK, (const char *)x + c * size, type, c + 1 < chunks ? CHUNK : n - c * CHUNK);
}

void lp_portable_from_f32(void *y, const float *x, enum lp_dtype type, int64_t n) {
    int64_t size = lp_dtype_row_bytes(type, CHUNK), chunks = (n + CHUNK - 1) / CHUNK;
#pragma omp parallel for if (chunks > 1)
    for (int64_t c = 0; c < chunks; c++)
        narrow((char *)y + c * size, x + c * CHUNK, type, c + 1 < chunks ? CHUNK : n - c * CHUNK);
}

void lp_portable_gather(float *y, const void *table, enum lp_dtype type, const int32_t *id, int64_t n,
                        int64_t C) {
    int64_t row = lp_dtype_row_bytes(type, C);
#pragma omp parallel for if (n * C >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        widen(y + i * C, (const char *)table + id[i] * row, type, C);
}

/* Threads split the columns: rows named twice are then added in order. */
void lp_portable_scatter_add(float *table, const float *dy, const int32_t *id, int64_t n, int64_t C) {
    enum { COLUMNS = 64 };
#pragma omp parallel for if (n * C >= LP_PARALLEL_WORK)
    for (int64_t c0 = 0; c0 < C; c0 += COLUMNS) {
        int64_t c1 = c0 + COLUMNS < C ? c0 + COLUMNS : C;
        for (int64_t i = 0; i < n; i++) {
            float *restrict row = table + id[i] * C;
            for (int64_t c = c0; c < c1; c++)
                row[c] += dy[i * C + c];
        }
    }
}
