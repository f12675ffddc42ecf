/* SPDX-License-Identifier: MIT */
/* portable/pointwise.c - kernels that treat every number alone: sums, activations, SwiGLU, AdamW; and the sum
 * of squares. Arrays [n]. */
#include "kernel/portable/portable.h"

#include <math.h>

void lp_portable_add(float *y, const float *a, const float *b, int64_t n) {
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

void lp_portable_add_scaled(float *y, const float *x, float scale, int64_t n) {
#pragma omp parallel for if (n >= 4 * LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        y[i] += scale * x[i];
}

static float sigmoid(float x) {
    return 1 / (1 + expf(-x));
}

static float act_one(float x, enum lp_act act) {
    switch (act) {
    case LP_GELU:
        return 0.5f * x * (1 + erff(x * 0.70710678f));
    case LP_QUICK_GELU:
        return x * sigmoid(1.702f * x);
    case LP_RELU:
        return x > 0 ? x : 0;
    default:
        return x * sigmoid(x);
    }
}

static float slope_one(float x, enum lp_act act) {
    if (act == LP_GELU) /* the normal distribution's integral, plus x times its density */
        return 0.5f * (1 + erff(x * 0.70710678f)) + x * 0.39894228f * expf(-0.5f * x * x);
    if (act == LP_RELU)
        return x > 0;
    float a = act == LP_QUICK_GELU ? 1.702f : 1, s = sigmoid(a * x);
    return s + a * x * s * (1 - s);
}

void lp_portable_act(float *y, const float *x, enum lp_act act, int64_t n) {
#pragma omp parallel for if (n * 16 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        y[i] = act_one(x[i], act);
}

void lp_portable_act_grad(float *dx, const float *dy, const float *x, enum lp_act act, int64_t n) {
#pragma omp parallel for if (n * 16 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i] * slope_one(x[i], act);
}

void lp_portable_swiglu(float *y, const float *gate, const float *up, int64_t n) {
#pragma omp parallel for if (n * 16 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++)
        y[i] = act_one(gate[i], LP_SILU) * up[i];
}

void lp_portable_swiglu_grad(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                             int64_t n) {
#pragma omp parallel for if (n * 16 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++) {
        if (dgate)
            dgate[i] += dy[i] * up[i] * slope_one(gate[i], LP_SILU);
        if (dup)
            dup[i] += dy[i] * act_one(gate[i], LP_SILU);
    }
}

void lp_portable_adamw(float *w, float *m, float *v, const float *grad, int64_t n,
                       const struct lp_adamw_step *step) {
    float b1 = step->beta1, b2 = step->beta2, keep = 1 - step->rate * step->decay;
    float rate = (float)(step->rate / (1 - pow(b1, (double)step->t)));
    float debias = (float)(1 / sqrt(1 - pow(b2, (double)step->t)));
#pragma omp parallel for if (n * 8 >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < n; i++) {
        float g = grad[i] * step->grad_scale;
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        w[i] = w[i] * keep - rate * m[i] / (sqrtf(v[i]) * debias + step->eps);
    }
}

/* A fixed number of parts, summed in order: the same result for any number of threads. */
double lp_portable_sum_squares(const float *x, int64_t n) {
    enum { PARTS = 64 };
    double part[PARTS] = {0}, sum = 0;
#pragma omp parallel for if (n >= 2 * LP_PARALLEL_WORK)
    for (int p = 0; p < PARTS; p++) {
        double s = 0;
        for (int64_t i = n / PARTS * p, end = p + 1 < PARTS ? n / PARTS * (p + 1) : n; i < end; i++)
            s += (double)x[i] * x[i];
        part[p] = s;
    }
    for (int p = 0; p < PARTS; p++)
        sum += part[p];
    return sum;
}
