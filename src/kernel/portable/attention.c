/* SPDX-License-Identifier: MIT */
/* portable/attention.c - softmax(scale q k^T) v and its gradient, with the running maximum of Milakov,
 * Gimelshein (2018): a tile of scores is all that is ever kept. q [T,H,D], k v [S,G,D] -> out [T,H,D], lse
 * [T,H]. */
#include "kernel/portable/half.h"
#include "kernel/portable/portable.h"

#include <math.h>
#include <stddef.h>

enum { TILE = 64 };

static float dot(const float *a, const float *b, int64_t n) {
    float sum[8] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++)
            sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        rest += a[i] * b[i];
    for (int j = 0; j < 8; j++)
        rest += sum[j];
    return rest;
}

/* How many keys query t sees. */
static int64_t visible(const struct lp_attention_shape *a, int64_t t) {
    int64_t n = a->causal ? a->S - a->T + t + 1 : a->S;
    return n < 0 ? 0 : n;
}

/* What is added to the score of key s with the query and head `at` = t H + h. */
static float bias(const struct lp_attention_shape *a, int64_t at, int64_t s) {
    if (!a->row_bias)
        return 0;
    return a->row_bias[at * (a->S / a->columns) + s / a->columns] +
           a->column_bias[at * a->columns + s % a->columns];
}

static void attend(float *out, float *lse, const float *q, const float *k, const float *v, int64_t keys,
                   const struct lp_attention_shape *a, int64_t at) {
    float top = -INFINITY, total = 0;
    for (int64_t d = 0; d < a->D; d++)
        out[d] = 0;
    for (int64_t s0 = 0; s0 < keys; s0 += TILE) {
        float score[TILE], high = top;
        int64_t n = keys - s0 < TILE ? keys - s0 : TILE;
        for (int64_t j = 0; j < n; j++) {
            score[j] = a->scale * dot(q, k + (s0 + j) * a->kv_stride, a->D) + bias(a, at, s0 + j);
            high = fmaxf(high, score[j]);
        }
        float shrink = expf(top - high);
        top = high;
        total *= shrink;
        for (int64_t d = 0; d < a->D; d++)
            out[d] *= shrink;
        for (int64_t j = 0; j < n; j++) {
            const float *row = v + (s0 + j) * a->kv_stride;
            float p = expf(score[j] - top);
            total += p;
            for (int64_t d = 0; d < a->D; d++)
                out[d] += p * row[d];
        }
    }
    for (int64_t d = 0; d < a->D && total > 0; d++)
        out[d] /= total;
    if (lse)
        *lse = top + logf(total);
}

void lp_portable_attention(float *out, float *lse, const float *q, const float *k, const float *v,
                           const struct lp_attention_shape *a) {
    int64_t share = a->H / a->G;
#pragma omp parallel for collapse(2) schedule(static, 1) if (a->T * a->S * a->H * a->D >= LP_PARALLEL_WORK)
    for (int64_t t = 0; t < a->T; t++)
        for (int64_t h = 0; h < a->H; h++)
            attend(out + (t * a->H + h) * a->D, lse ? lse + t * a->H + h : NULL,
                   q + t * a->q_stride + h * a->D, k + h / share * a->D, v + h / share * a->D, visible(a, t),
                   a, t * a->H + h);
}

/* Query and head i of T H, one key after the other. */
static void attend_half(float *out, const float *q, const uint16_t *k, const uint16_t *v, int64_t keys,
                        const struct lp_attention_shape *a) {
    float top = -INFINITY, total = 0;
    for (int64_t d = 0; d < a->D; d++)
        out[d] = 0;
    for (int64_t s = 0; s < keys; s++, k += a->kv_stride, v += a->kv_stride) {
        float score = 0, high, shrink, p;
        for (int64_t d = 0; d < a->D; d++)
            score += q[d] * lp_f16_to_f32(k[d]);
        score *= a->scale;
        high = fmaxf(top, score);
        shrink = expf(top - high);
        p = expf(score - high);
        for (int64_t d = 0; d < a->D; d++)
            out[d] = out[d] * shrink + p * lp_f16_to_f32(v[d]);
        total = total * shrink + p;
        top = high;
    }
    for (int64_t d = 0; d < a->D && total > 0; d++)
        out[d] /= total;
}

void lp_portable_attention_half(float *out, const float *q, const uint16_t *k, const uint16_t *v,
                                const struct lp_attention_shape *a) {
    int64_t share = a->H / a->G;
#pragma omp parallel for schedule(static) if (a->T * a->S * a->H * a->D >= LP_PARALLEL_WORK)
    for (int64_t i = 0; i < a->T * a->H; i++) {
        int64_t t = i / a->H, h = i % a->H, at = h / share * a->D;
        attend_half(out + i * a->D, q + t * a->q_stride + h * a->D, k + at, v + at, visible(a, t), a);
    }
}

static void add_row(float *restrict y, const float *restrict x, float f, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] += f * x[i];
}

/* With P the probabilities: dv = P^T dout; dP = dout v^T; dscore = P (dP - sum(dout out)); then dq and dk. */
static void attend_grad(float *dq, float *dk, float *dv, const float *dout, const float *out, float lse,
                        const float *q, const float *k, const float *v, int64_t keys,
                        const struct lp_attention_shape *a) {
    float mean = dot(dout, out, a->D);
    for (int64_t s = 0; s < keys; s++) {
        int64_t at = s * a->kv_stride;
        float p = expf(a->scale * dot(q, k + at, a->D) - lse);
        float ds = p * (dot(dout, v + at, a->D) - mean) * a->scale;
        if (dq)
            add_row(dq, k + at, ds, a->D);
        if (dk)
            add_row(dk + at, q, ds, a->D);
        if (dv)
            add_row(dv + at, dout, p, a->D);
    }
}

/* A thread owns a key head, and with it all that is added to dk and dv there. */
void lp_portable_attention_grad(float *dq, float *dk, float *dv, const float *dout, const float *out,
                                const float *lse, const float *q, const float *k, const float *v,
                                const struct lp_attention_shape *a) {
    int64_t share = a->H / a->G;
#pragma omp parallel for if (a->T * a->S * a->H * a->D >= LP_PARALLEL_WORK)
    for (int64_t g = 0; g < a->G; g++)
        for (int64_t h = g * share; h < (g + 1) * share; h++)
            for (int64_t t = 0; t < a->T; t++) {
                int64_t row = (t * a->H + h) * a->D, query = t * a->q_stride + h * a->D, key = g * a->D;
                attend_grad(dq ? dq + query : NULL, dk ? dk + key : NULL, dv ? dv + key : NULL, dout + row,
                            out + row, lse[t * a->H + h], q + query, k + key, v + key, visible(a, t), a);
            }
}
