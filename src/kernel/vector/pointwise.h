/* SPDX-License-Identifier: MIT */
/* vector/pointwise.h - kernels that treat every number alone, rope, AdamW, the sum of squares, and stored
 * numbers. Needs vec and vector/math.h; see portable/pointwise.c, rope.c and convert.c for the formulas. */
#ifndef LP_KERNEL_VECTOR_POINTWISE_H
#define LP_KERNEL_VECTOR_POINTWISE_H

#include "kernel/portable/half.h"
#include "kernel/portable/portable.h"

#include <math.h>

/* Threads take stretches of this length. */
enum { STRETCH = 8192 };

static inline int64_t stretch_end(int64_t start, int64_t n) {
    return n - start < STRETCH ? n : start + STRETCH;
}

static void add(float *y, const float *a, const float *b, int64_t n) {
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            store_part(y + i, load_part(a + i, m) + load_part(b + i, m), m);
        }
}

static void add_scaled(float *y, const float *x, float scale, int64_t n) {
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            store_part(y + i, vec_fma(vec_set(scale), load_part(x + i, m), load_part(y + i, m)), m);
        }
}

/* The activation, and its slope where wanted. */
static inline __attribute__((always_inline)) vec act_of(vec x, enum lp_act kind, vec *slope) {
    if (kind == LP_GELU) {
        vec density, area = vec_gauss(x, &density);
        if (slope)
            *slope = vec_fma(x * vec_set(0.398942280f), density, area);
        return x * area;
    }
    if (kind == LP_RELU) {
        if (slope)
            *slope = vec_where_less(vec_set(0), x, vec_set(1), vec_set(0));
        return vec_max(x, vec_set(0));
    }
    vec a = vec_set(kind == LP_QUICK_GELU ? 1.702f : 1), s = vec_sigmoid(a * x);
    if (slope)
        *slope = vec_fma(a * x * s, vec_set(1) - s, s);
    return x * s;
}

static inline __attribute__((always_inline)) void act_kind(float *y, const float *x, enum lp_act kind,
                                                           int64_t n) {
#pragma omp parallel for if (n >= LP_PARALLEL_WORK / 4)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            store_part(y + i, act_of(load_part(x + i, m), kind, NULL), m);
        }
}

static void act(float *y, const float *x, enum lp_act kind, int64_t n) {
    if (kind == LP_GELU)
        act_kind(y, x, LP_GELU, n);
    else if (kind == LP_QUICK_GELU)
        act_kind(y, x, LP_QUICK_GELU, n);
    else if (kind == LP_RELU)
        act_kind(y, x, LP_RELU, n);
    else
        act_kind(y, x, LP_SILU, n);
}

static inline __attribute__((always_inline)) void act_kind_grad(float *dx, const float *dy, const float *x,
                                                                enum lp_act kind, int64_t n) {
#pragma omp parallel for if (n >= LP_PARALLEL_WORK / 4)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            vec slope;
            act_of(load_part(x + i, m), kind, &slope);
            store_part(dx + i, vec_fma(load_part(dy + i, m), slope, load_part(dx + i, m)), m);
        }
}

static void act_grad(float *dx, const float *dy, const float *x, enum lp_act kind, int64_t n) {
    if (kind == LP_GELU)
        act_kind_grad(dx, dy, x, LP_GELU, n);
    else if (kind == LP_QUICK_GELU)
        act_kind_grad(dx, dy, x, LP_QUICK_GELU, n);
    else if (kind == LP_RELU)
        act_kind_grad(dx, dy, x, LP_RELU, n);
    else
        act_kind_grad(dx, dy, x, LP_SILU, n);
}

static void swiglu(float *y, const float *gate, const float *up, int64_t n) {
#pragma omp parallel for if (n >= LP_PARALLEL_WORK / 4)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            store_part(y + i, act_of(load_part(gate + i, m), LP_SILU, NULL) * load_part(up + i, m), m);
        }
}

static void swiglu_grad(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                        int64_t n) {
#pragma omp parallel for if (n >= LP_PARALLEL_WORK / 4)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t m = lanes_at(i, end);
            vec slope, d = load_part(dy + i, m), value = act_of(load_part(gate + i, m), LP_SILU, &slope);
            if (dgate)
                store_part(dgate + i, vec_fma(d * load_part(up + i, m), slope, load_part(dgate + i, m)), m);
            if (dup)
                store_part(dup + i, vec_fma(d, value, load_part(dup + i, m)), m);
        }
}

static void adamw(float *w, float *m, float *v, const float *grad, int64_t n,
                  const struct lp_adamw_step *step) {
    vec b1 = vec_set(step->beta1), b2 = vec_set(step->beta2), eps = vec_set(step->eps);
    vec rest1 = vec_set(1 - step->beta1), rest2 = vec_set(1 - step->beta2), scale = vec_set(step->grad_scale);
    vec keep = vec_set(1 - step->rate * step->decay);
    vec rate = vec_set((float)(-step->rate / (1 - pow(step->beta1, (double)step->t))));
    vec debias = vec_set((float)(1 / sqrt(1 - pow(step->beta2, (double)step->t))));
#pragma omp parallel for if (n >= LP_PARALLEL_WORK)
    for (int64_t start = 0; start < n; start += STRETCH)
        for (int64_t i = start, end = stretch_end(start, n); i < end; i += LANES) {
            int64_t k = lanes_at(i, end);
            vec g = load_part(grad + i, k) * scale;
            vec m1 = vec_fma(b1, load_part(m + i, k), rest1 * g),
                v1 = vec_fma(b2, load_part(v + i, k), rest2 * g * g);
            vec by = m1 / vec_fma(vec_sqrt(v1), debias, eps);
            store_part(m + i, m1, k);
            store_part(v + i, v1, k);
            store_part(w + i, vec_fma(rate, by, load_part(w + i, k) * keep), k);
        }
}

/* Short sums in float, their sum in double; the same for any number of threads. */
static double sum_squares(const float *x, int64_t n) {
    enum { PARTS = 64, SHORT = 16 * LANES };
    double part[PARTS] = {0}, sum = 0;
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int p = 0; p < PARTS; p++)
        for (int64_t i = n / PARTS * p, end = p + 1 < PARTS ? n / PARTS * (p + 1) : n; i < end; i += SHORT) {
            vec a = vec_set(0), b = a;
            for (int64_t j = i, stop = i + SHORT < end ? i + SHORT : end; j < stop; j += LANES) {
                vec f = load_part(x + j, lanes_at(j, stop)), other = vec_fma(f, f, a);
                a = b;
                b = other;
            }
            part[p] += vec_sum(a + b);
        }
    for (int p = 0; p < PARTS; p++)
        sum += part[p];
    return sum;
}

static inline void rotate_half(float *y, const float *x, const float *c, const float *s, int64_t n,
                               int64_t half, bool add_to) {
    for (int64_t i = 0; i < n; i += LANES) {
        int64_t m = lanes_at(i, n);
        vec a = load_part(x + i, m), b = load_part(x + half + i, m), cosine = vec_load(c + i),
            sine = vec_load(s + i);
        vec ya = vec_fma(a, cosine, vec_set(0) - b * sine), yb = vec_fma(b, cosine, a * sine);
        if (add_to) {
            ya += load_part(y + i, m);
            yb += load_part(y + half + i, m);
        }
        store_part(y + i, ya, m);
        store_part(y + half + i, yb, m);
    }
}

static void rope(float *y, const float *x, const int32_t *position, int64_t T, int64_t H, int64_t D,
                 float theta, float sign, bool add_to) {
    enum { PAIRS = 64 };
    int64_t half = D / 2;
    for (int64_t i0 = 0; i0 < half; i0 += PAIRS) {
        int64_t n = half - i0 < PAIRS ? half - i0 : PAIRS;
        float frequency[PAIRS] = {0};
        for (int64_t i = 0; i < n; i++)
            frequency[i] = 1 / powf(theta, (float)(2 * (i0 + i)) / (float)D);
#pragma omp parallel for if (T * n * (H + 4) >= LP_PARALLEL_WORK)
        for (int64_t t = 0; t < T; t++) {
            float c[PAIRS], s[PAIRS];
            for (int64_t i = 0; i < PAIRS; i += LANES) {
                vec sine, cosine;
                vec_sincos(vec_set((float)position[t]) * vec_load(frequency + i), &sine, &cosine);
                vec_store(c + i, cosine);
                vec_store(s + i, sine * vec_set(sign));
            }
            for (int64_t h = 0; h < H; h++)
                rotate_half(y + (t * H + h) * D + i0, x + (t * H + h) * D + i0, c, s, n, half, add_to);
        }
    }
}

static inline void widen_some(float *y, const void *x, enum lp_dtype type, int64_t n) {
    const uint16_t *half = x;
    int64_t i = 0;
    if (type == LP_F32) {
        memcpy(y, x, (size_t)n * sizeof *y);
    } else if (type == LP_BF16) {
        for (; i + LANES <= n; i += LANES)
            vec_store(y + i, vec_load_bf16(half + i));
        for (; i < n; i++)
            y[i] = lp_bf16_to_f32(half[i]);
    } else {
        for (; i + LANES <= n; i += LANES)
            vec_store(y + i, vec_load_f16(half + i));
        for (; i < n; i++)
            y[i] = lp_f16_to_f32(half[i]);
    }
}

static inline void narrow_some(void *y, const float *x, enum lp_dtype type, int64_t n) {
    uint16_t *half = y;
    int64_t i = 0;
    if (type == LP_F32) {
        memcpy(y, x, (size_t)n * sizeof *x);
    } else if (type == LP_BF16) {
        for (; i < n; i++)
            half[i] = lp_f32_to_bf16(x[i]);
    } else {
        for (; i + LANES <= n; i += LANES)
            vec_store_f16(half + i, vec_load(x + i));
        for (; i < n; i++)
            half[i] = lp_f32_to_f16(x[i]);
    }
}

static void to_f32(float *y, const void *x, enum lp_dtype type, int64_t n) {
    if (lp_dtype_block(type) > 1) {
        lp_portable_to_f32(y, x, type, n);
        return;
    }
    int64_t size = lp_dtype_bytes(type);
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i += STRETCH)
        widen_some(y + i, (const char *)x + i * size, type, stretch_end(i, n) - i);
}

static void from_f32(void *y, const float *x, enum lp_dtype type, int64_t n) {
    if (lp_dtype_block(type) > 1) {
        lp_portable_from_f32(y, x, type, n);
        return;
    }
    int64_t size = lp_dtype_bytes(type);
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i += STRETCH)
        narrow_some((char *)y + i * size, x + i, type, stretch_end(i, n) - i);
}

static void gather(float *y, const void *table, enum lp_dtype type, const int32_t *id, int64_t n, int64_t C) {
    if (lp_dtype_block(type) > 1) {
        lp_portable_gather(y, table, type, id, n, C);
        return;
    }
    int64_t row = C * lp_dtype_bytes(type);
#pragma omp parallel for if (n * C >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        widen_some(y + i * C, (const char *)table + id[i] * row, type, C);
}

static void put_pointwise(struct lp_kernels *table) {
    table->add = add;
    table->add_scaled = add_scaled;
    table->act = act;
    table->act_grad = act_grad;
    table->swiglu = swiglu;
    table->swiglu_grad = swiglu_grad;
    table->adamw = adamw;
    table->sum_squares = sum_squares;
    table->rope = rope;
    table->to_f32 = to_f32;
    table->from_f32 = from_f32;
    table->gather = gather;
}

#endif
