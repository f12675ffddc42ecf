/* SPDX-License-Identifier: MIT */
/* vector/norm.h - norms, softmax and its cross entropy and sums over rows. Needs vec and vector/math.h; see
 * portable/norm.c and loss.c for the formulas. */
#ifndef LP_KERNEL_VECTOR_NORM_H
#define LP_KERNEL_VECTOR_NORM_H

#include "kernel/portable/portable.h"

#include <math.h>

/* Sums over rows run down strips of so many columns. */
enum { STRIP = 4 * LANES };

/* n numbers at p, or ones, or zeros. */
static inline vec weights_or(const float *p, int64_t at, int64_t m, float otherwise) {
    return p ? load_part(p + at, m) : vec_set(otherwise);
}

static inline float row_sum(const float *x, int64_t C) {
    vec a = vec_set(0), b = a;
    int64_t c = 0;
    for (; c + 2 * LANES <= C; c += 2 * LANES) {
        a += vec_load(x + c);
        b += vec_load(x + c + LANES);
    }
    for (; c < C; c += LANES)
        a += load_part(x + c, lanes_at(c, C));
    return vec_sum(a + b);
}

/* The sum of (x - center)^2. */
static inline float row_squares(const float *x, float center, int64_t C) {
    vec sum = vec_set(0), other = sum;
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        vec d = load_part(x + c, m) - vec_set(center);
        if (m < LANES)
            d = vec_select_n(d, vec_set(0), m);
        vec next = vec_fma(d, d, other);
        other = sum;
        sum = next;
    }
    return vec_sum(sum + other);
}

static void layer_norm(float *y, float *stat, const float *x, const float *w, const float *b, int64_t rows,
                       int64_t C, float eps) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * C;
        float mean = row_sum(in, C) / (float)C,
              inverse = 1 / sqrtf(row_squares(in, mean, C) / (float)C + eps);
        for (int64_t c = 0; c < C; c += LANES) {
            int64_t m = lanes_at(c, C);
            vec n = (load_part(in + c, m) - vec_set(mean)) * vec_set(inverse);
            store_part(y + r * C + c, vec_fma(n, weights_or(w, c, m, 1), weights_or(b, c, m, 0)), m);
        }
        if (stat) {
            stat[2 * r] = mean;
            stat[2 * r + 1] = inverse;
        }
    }
}

static void rms_norm(float *y, float *stat, const float *x, const float *w, int64_t rows, int64_t C,
                     float eps) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        float inverse = 1 / sqrtf(row_squares(x + r * C, 0, C) / (float)C + eps);
        for (int64_t c = 0; c < C; c += LANES) {
            int64_t m = lanes_at(c, C);
            vec n = load_part(x + r * C + c, m) * vec_set(inverse);
            store_part(y + r * C + c, n * weights_or(w, c, m, 1), m);
        }
        if (stat)
            stat[r] = inverse;
    }
}

/* One row of dx for both norms; RMS norm has center 0 and no mean of g. */
static inline void norm_dx(float *dx, const float *dy, const float *x, const float *w, float center,
                           float inverse, bool centered, int64_t C) {
    vec sum = vec_set(0), dot = sum, mid = vec_set(center), inv = vec_set(inverse);
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        vec g = load_part(dy + c, m) * weights_or(w, c, m, 1);
        sum += g;
        dot = vec_fma(g, (load_part(x + c, m) - mid) * inv, dot);
    }
    vec a = vec_set(centered ? vec_sum(sum) / (float)C : 0), b = vec_set(vec_sum(dot) / (float)C);
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        vec g = load_part(dy + c, m) * weights_or(w, c, m, 1), n = (load_part(x + c, m) - mid) * inv;
        store_part(dx + c, vec_fma(g - a - n * b, inv, load_part(dx + c, m)), m);
    }
}

/* Columns c..c+STRIP of dw and db: sums over all rows, kept in registers. stat as layer norm's (step 2), or
 * RMS norm's (step 1), or NULL for db alone. */
static inline void norm_dw_strip(float *dw, float *db, const float *dy, const float *x, const float *stat,
                                 int step, int64_t rows, int64_t C, int64_t c0) {
    vec sw[4], sb[4];
    for (int j = 0; j < 4; j++)
        sw[j] = sb[j] = vec_set(0);
    for (int64_t r = 0; r < rows; r++) {
        vec mid = vec_set(step == 2 ? stat[2 * r] : 0), inv = vec_set(dw ? stat[step * r + step - 1] : 0);
        for (int j = 0; j < 4; j++) {
            int64_t c = c0 + j * LANES, m = lanes_at(c, C);
            if (m <= 0)
                break;
            vec d = load_part(dy + r * C + c, m);
            sb[j] += d;
            if (dw)
                sw[j] = vec_fma(d, (load_part(x + r * C + c, m) - mid) * inv, sw[j]);
        }
    }
    for (int j = 0; j < 4; j++) {
        int64_t c = c0 + j * LANES, m = lanes_at(c, C);
        if (m > 0 && dw)
            store_part(dw + c, load_part(dw + c, m) + sw[j], m);
        if (m > 0 && db)
            store_part(db + c, load_part(db + c, m) + sb[j], m);
    }
}

static void norm_dw(float *dw, float *db, const float *dy, const float *x, const float *stat, int step,
                    int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t c = 0; c < C; c += STRIP)
        norm_dw_strip(dw, db, dy, x, stat, step, rows, C, c);
}

static void sum_rows(float *y, const float *x, int64_t M, int64_t N) {
    norm_dw(NULL, y, x, NULL, NULL, 0, M, N);
}

static void layer_norm_grad(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float *stat, int64_t rows, int64_t C) {
    if (dx) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
        for (int64_t r = 0; r < rows; r++)
            norm_dx(dx + r * C, dy + r * C, x + r * C, w, stat[2 * r], stat[2 * r + 1], true, C);
    }
    if (dw)
        norm_dw(dw, db, dy, x, stat, 2, rows, C);
    else if (db)
        sum_rows(db, dy, rows, C);
}

static void rms_norm_grad(float *dx, float *dw, const float *dy, const float *x, const float *w,
                          const float *stat, int64_t rows, int64_t C) {
    if (dx) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
        for (int64_t r = 0; r < rows; r++)
            norm_dx(dx + r * C, dy + r * C, x + r * C, w, 0, stat[r], false, C);
    }
    if (dw)
        norm_dw(dw, NULL, dy, x, stat, 1, rows, C);
}

static inline float row_highest(const float *x, int64_t C) {
    vec top = vec_set(-INFINITY);
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        top = vec_max(top, m == LANES ? vec_load(x + c) : vec_select_n(vec_load_n(x + c, m), top, m));
    }
    return vec_highest(top);
}

/* out = e^(in - its highest, told as *top); returns the sum. */
static inline float exponentials(float *out, const float *in, int64_t C, float *top) {
    vec sum = vec_set(0);
    *top = row_highest(in, C);
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        vec e = vec_exp(load_part(in + c, m) - vec_set(*top));
        if (out)
            store_part(out + c, e, m);
        sum += m == LANES ? e : vec_select_n(e, vec_set(0), m);
    }
    return vec_sum(sum);
}

static inline void scale_row(float *x, int64_t C, float scale) {
    for (int64_t c = 0; c < C; c += LANES) {
        int64_t m = lanes_at(c, C);
        store_part(x + c, load_part(x + c, m) * vec_set(scale), m);
    }
}

static void softmax(float *y, const float *x, int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK / 4)
    for (int64_t r = 0; r < rows; r++) {
        float top, total = exponentials(y + r * C, x + r * C, C, &top);
        scale_row(y + r * C, C, 1 / total);
    }
}

static void cross_entropy(float *loss, float *prob, const float *logits, const int32_t *target, int64_t rows,
                          int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK / 4)
    for (int64_t r = 0; r < rows; r++) {
        const float *in = logits + r * C;
        float top, total = exponentials(prob ? prob + r * C : NULL, in, C, &top);
        if (prob)
            scale_row(prob + r * C, C, 1 / total);
        loss[r] = target[r] >= 0 && target[r] < C ? logf(total) + top - in[target[r]] : 0;
    }
}

static void cross_entropy_grad(float *dlogits, const float *prob, const int32_t *target, float scale,
                               int64_t rows, int64_t C) {
#pragma omp parallel for if (rows * C >= LP_PARALLEL_WORK)
    for (int64_t r = 0; r < rows; r++) {
        if (target[r] < 0 || target[r] >= C)
            continue;
        float *row = dlogits + r * C;
        for (int64_t c = 0; c < C; c += LANES) {
            int64_t m = lanes_at(c, C);
            store_part(row + c,
                       vec_fma(vec_set(scale), load_part(prob + r * C + c, m), load_part(row + c, m)), m);
        }
        row[target[r]] -= scale;
    }
}

static void put_norm(struct lp_kernels *table) {
    table->layer_norm = layer_norm;
    table->layer_norm_grad = layer_norm_grad;
    table->rms_norm = rms_norm;
    table->rms_norm_grad = rms_norm_grad;
    table->sum_rows = sum_rows;
    table->softmax = softmax;
    table->cross_entropy = cross_entropy;
    table->cross_entropy_grad = cross_entropy_grad;
}

#endif
