/* SPDX-License-Identifier: MIT */
/* portable/norm.c - layer norm (Ba, Kiros, Hinton 2016), RMS norm (Zhang, Sennrich 2019) and group norm (Wu,
 * He 2018), rows [rows, C]. But for group norm w, b and stat may be NULL. Sums run in double: a row of
 * thousands of float32 loses digits otherwise. */
#include "kernel/portable/portable.h"

#include <math.h>
#include <stddef.h>

enum { COLUMNS = 64 };

void lp_portable_layer_norm(float *y, float *stat, const float *x, const float *w, const float *b,
                            int64_t rows, int64_t C, float eps) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * C;
        double sum = 0, square = 0;
        for (int64_t c = 0; c < C; c++)
            sum += in[c];
        double mean = sum / (double)C;
        for (int64_t c = 0; c < C; c++)
            square += (in[c] - mean) * (in[c] - mean);
        float center = (float)mean, inverse = (float)(1 / sqrt(square / (double)C + eps));
        for (int64_t c = 0; c < C; c++)
            y[r * C + c] = (in[c] - center) * inverse * (w ? w[c] : 1) + (b ? b[c] : 0);
        if (stat) {
            stat[2 * r] = center;
            stat[2 * r + 1] = inverse;
        }
    }
}

/* With n = (x - mean) / std and g = w dy:  dx = (g - mean(g) - n mean(g n)) / std. */
static void layer_norm_dx(float *dx, const float *dy, const float *x, const float *w, const float *stat,
                          int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * C, *up = dy + r * C;
        float center = stat[2 * r], inverse = stat[2 * r + 1];
        double sum = 0, dot = 0;
        for (int64_t c = 0; c < C; c++) {
            float g = up[c] * (w ? w[c] : 1);
            sum += g;
            dot += (double)g * ((in[c] - center) * inverse);
        }
        float a = (float)(sum / (double)C), b = (float)(dot / (double)C);
        for (int64_t c = 0; c < C; c++)
            dx[r * C + c] += (up[c] * (w ? w[c] : 1) - a - (in[c] - center) * inverse * b) * inverse;
    }
}

void lp_portable_layer_norm_grad(float *dx, float *dw, float *db, const float *dy, const float *x,
                                 const float *w, const float *stat, int64_t rows, int64_t C) {
    if (dx)
        layer_norm_dx(dx, dy, x, w, stat, rows, C);
    if (db)
        lp_portable_sum_rows(db, dy, rows, C);
    if (!dw)
        return;
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t c0 = 0; c0 < C; c0 += COLUMNS) {
        int64_t c1 = c0 + COLUMNS < C ? c0 + COLUMNS : C;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = c0; c < c1; c++)
                dw[c] += dy[r * C + c] * (x[r * C + c] - stat[2 * r]) * stat[2 * r + 1];
    }
}

void lp_portable_rms_norm(float *y, float *stat, const float *x, const float *w, int64_t rows, int64_t C,
                          float eps) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * C;
        double square = 0;
        for (int64_t c = 0; c < C; c++)
            square += (double)in[c] * in[c];
        float inverse = (float)(1 / sqrt(square / (double)C + eps));
        for (int64_t c = 0; c < C; c++)
            y[r * C + c] = in[c] * inverse * (w ? w[c] : 1);
        if (stat)
            stat[r] = inverse;
    }
}

/* With n = x / rms and g = w dy:  dx = (g - n mean(g n)) / rms. */
void lp_portable_rms_norm_grad(float *dx, float *dw, const float *dy, const float *x, const float *w,
                               const float *stat, int64_t rows, int64_t C) {
    if (dx) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
        for (int64_t r = 0; r < rows; r++) {
            const float *in = x + r * C, *up = dy + r * C;
            float inverse = stat[r];
            double dot = 0;
            for (int64_t c = 0; c < C; c++)
                dot += (double)(up[c] * (w ? w[c] : 1)) * (in[c] * inverse);
            float mean = (float)(dot / (double)C);
            for (int64_t c = 0; c < C; c++)
                dx[r * C + c] += (up[c] * (w ? w[c] : 1) - in[c] * inverse * mean) * inverse;
        }
    }
    if (!dw)
        return;
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t c0 = 0; c0 < C; c0 += COLUMNS) {
        int64_t c1 = c0 + COLUMNS < C ? c0 + COLUMNS : C;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = c0; c < c1; c++)
                dw[c] += dy[r * C + c] * x[r * C + c] * stat[r];
    }
}

/* A thread owns a group. */
void lp_portable_group_norm(float *y, const float *x, const float *w, const float *b, int64_t places,
                            int64_t C, int64_t groups, float eps) {
    int64_t each = C / groups;
#pragma omp parallel for if (places * C >= LP_PARALLEL_WORK)
    for (int64_t g = 0; g < groups; g++) {
        double sum = 0, square = 0, n = (double)(places * each);
        for (int64_t i = 0; i < places; i++)
            for (int64_t c = g * each; c < (g + 1) * each; c++)
                sum += x[i * C + c];
        double mean = sum / n;
        for (int64_t i = 0; i < places; i++)
            for (int64_t c = g * each; c < (g + 1) * each; c++)
                square += (x[i * C + c] - mean) * (x[i * C + c] - mean);
        float center = (float)mean, inverse = (float)(1 / sqrt(square / n + eps));
        for (int64_t i = 0; i < places; i++)
            for (int64_t c = g * each; c < (g + 1) * each; c++)
                y[i * C + c] = (x[i * C + c] - center) * inverse * w[c] + b[c];
    }
}
