/* SPDX-License-Identifier: MIT */
/* vector/attention.h - softmax(scale q k^T) v. Needs vec, vector/math.h, vector/tile.h, vector/pack.h.
 *
 * Queries lie across the lanes: for a block of B = 2 LANES queries of one head the scores of a tile of keys
 * are [key][B], so that a softmax runs down the keys without any sum across a register, and the scores are a
 * panel for the product with v. Keys and values are read where they lie. The running maximum is Milakov,
 * Gimelshein's (2018). q [T,H,D], k v [S,G,D] -> out [T,H,D], lse [T,H]. */
#ifndef LP_KERNEL_VECTOR_ATTENTION_H
#define LP_KERNEL_VECTOR_ATTENTION_H

#include "kernel/portable/portable.h"
#include "kernel/scratch.h"
#include "kernel/vector/attention_tiles.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* LP_FEW_QUERIES take keys in runs of ROW_KEYS, for at most ROW_HEADS heads at once. */
enum { ROW_KEYS = 32, ROW_HEADS = 16 };

/* Scales the scores of keys s0.. and hides from each query the keys it does not see. */
static inline void mask_scores(float *score, const struct lp_attention_shape *a, int64_t t0, int64_t s0,
                               int64_t n) {
    for (int64_t i = 0; i < n * B; i += LANES)
        vec_store(score + i, vec_load(score + i) * vec_set(a->scale));
    hide_unseen(score, a, t0, s0, n);
}

/* Turns scores into probabilities against the running maximum; what was summed before shrinks by *shrink. */
static inline void softmax_step(float *score, int64_t n, vec *top, vec *total, vec *shrink) {
    vec high = *top, sum = vec_set(0);
    for (int64_t i = 0; i < n; i++)
        high = vec_max(high, vec_load(score + i * B));
    for (int64_t i = 0; i < n; i++) {
        vec p = vec_exp(vec_load(score + i * B) - high);
        vec_store(score + i * B, p);
        sum += p;
    }
    *shrink = vec_exp(*top - high);
    *total = vec_fma(*total, *shrink, sum);
    *top = high;
}

static inline int64_t attend_block_floats(const struct lp_attention_shape *a) {
    int64_t biases = a->row_bias ? a->S / a->columns + a->columns : 0;
    return (2 * a->D + KEYS + biases) * B;
}

/* Queries t0.. of head h, at most B. */
static void attend_block(float *out, float *lse, const float *q, const float *k, const float *v,
                         const struct lp_attention_shape *a, int64_t h, int64_t t0, float *memory) {
    int64_t D = a->D, g = h / (a->H / a->G), n = least(B, a->T - t0), keys = visible(a, t0 + n - 1);
    float *turned = memory, *sum = turned + D * B, *score = sum + D * B, *row = score + KEYS * B, *column = row;
    vec top[2], total[2], shrink[2];
    for (int j = 0; j < 2; j++) {
        top[j] = vec_set(NOTHING_SEEN);
        total[j] = vec_set(0);
    }
    turn_wide(turned, B, q + t0 * a->q_stride + h * D, a->q_stride, (int)n, D);
    if (a->row_bias) {
        int64_t rows = a->S / a->columns, at = t0 * a->H + h;
        column = row + rows * B;
        turn_wide(row, B, a->row_bias + at * rows, a->H * rows, (int)n, rows);
        turn_wide(column, B, a->column_bias + at * a->columns, a->H * a->columns, (int)n, a->columns);
    }
    for (int64_t i = 0; i < D * B; i += LANES)
        vec_store(sum + i, vec_set(0));
    for (int64_t s0 = 0; s0 < keys; s0 += KEYS) {
        int64_t m = least(KEYS, keys - s0), at = s0 * a->kv_stride + g * D;
        rows_by_block(score, k + at, a->kv_stride, turned, m, D);
        mask_scores(score, a, t0, s0, m);
        if (a->row_bias)
            add_biases(score, row, column, a->columns, s0, m);
        for (int j = 0; j < 2; j++)
            softmax_step(score + j * LANES, m, &top[j], &total[j], &shrink[j]);
        if (s0 > 0)
            scale_block(sum, D, shrink);
        block_by_rows(sum, v + at, a->kv_stride, score, m, D, s0 > 0);
    }
    put_block(out + (t0 * a->H + h) * D, a->H * D, sum, total, n, D);
    float tops[B], totals[B];
    for (int j = 0; j < 2; j++) {
        vec_store(tops + j * LANES, top[j]);
        vec_store(totals + j * LANES, total[j]);
    }
    for (int64_t i = 0; lse && i < n; i++)
        lse[(t0 + i) * a->H + h] = tops[i] + logf(totals[i]);
}

/* Lanes from number `at` of keys or values, of which m count. */
ALWAYS_INLINE vec load_kept(const void *x, enum lp_dtype type, int64_t at, int64_t m) {
    if (type == LP_F32)
        return load_part((const float *)x + at, m);
    const uint16_t *half = (const uint16_t *)x + at;
    uint16_t some[LANES] = {0};
    for (int64_t i = 0; m < LANES && i < m; i++)
        some[i] = half[i];
    return vec_load_f16(m < LANES ? some : half);
}

ALWAYS_INLINE float dot_numbers(const float *q, const void *k, enum lp_dtype type, int64_t at, int64_t n) {
    vec sum = vec_set(0), other = vec_set(0);
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum = vec_fma(vec_load(q + i), load_kept(k, type, at + i, LANES), sum);
        other = vec_fma(vec_load(q + i + LANES), load_kept(k, type, at + i + LANES, LANES), other);
    }
    for (; i < n; i += LANES) {
        int64_t m = lanes_at(i, n);
        sum = vec_fma(load_part(q + i, m), load_kept(k, type, at + i, m), sum);
    }
    return vec_sum(sum + other);
}

/* out += sum over j < n of p[j] v[at + j stride ..]: as many numbers at a time as registers hold. */
ALWAYS_INLINE void add_values(float *out, const float *p, const void *v, enum lp_dtype type, int64_t at, int64_t stride,
                              int64_t n, int64_t D) {
    enum { HELD = 8 };
    int64_t d = 0;
    for (; d + HELD * LANES <= D; d += HELD * LANES) {
        vec sum[HELD];
        for (int i = 0; i < HELD; i++)
            sum[i] = vec_load(out + d + i * LANES);
        for (int64_t j = 0; j < n; j++)
            for (int i = 0; i < HELD; i++)
                sum[i] = vec_fma(vec_set(p[j]), load_kept(v, type, at + j * stride + d + i * LANES, LANES), sum[i]);
        for (int i = 0; i < HELD; i++)
            vec_store(out + d + i * LANES, sum[i]);
    }
    for (; d < D; d += LANES) {
        int64_t m = lanes_at(d, D);
        vec sum = load_part(out + d, m);
        for (int64_t j = 0; j < n; j++)
            sum = vec_fma(vec_set(p[j]), load_kept(v, type, at + j * stride + d, m), sum);
        store_part(out + d, sum, m);
    }
}

/* What a query has seen of a head so far. */
struct seen {
    float top, total;
};

/* Goes on to n keys and values, whose first number is number `at`: lanes run along D. */
ALWAYS_INLINE void attend_keys(struct seen *seen, float *out, const float *q, const void *k, const void *v,
                               enum lp_dtype type, int64_t at, int64_t n, const struct lp_attention_shape *a) {
    float score[ROW_KEYS];
    vec high = vec_set(seen->top), sum = vec_set(0);
    for (int64_t j = 0; j < ROW_KEYS; j++)
        score[j] = j < n ? a->scale * dot_numbers(q, k, type, at + j * a->kv_stride, a->D) : -INFINITY;
    for (int64_t j = 0; j < ROW_KEYS; j += LANES)
        high = vec_max(high, vec_load(score + j));
    float top = vec_highest(high), shrink = expf(seen->top - top);
    for (int64_t j = 0; j < ROW_KEYS; j += LANES) {
        vec p = vec_exp(vec_load(score + j) - vec_set(top));
        vec_store(score + j, p);
        sum += p;
    }
    *seen = (struct seen){top, seen->total * shrink + vec_sum(sum)};
    for (int64_t d = 0; d < a->D; d++)
        out[d] *= shrink;
    add_values(out, score, v, type, at, a->kv_stride, n, a->D);
}

/* One query and its heads from h on, side by side, as keys and values of neighbouring heads lie together. */
ALWAYS_INLINE void attend_row(float *out, float *lse, const float *q, const void *k, const void *v, enum lp_dtype type,
                              int64_t t, int64_t h, int64_t heads, const struct lp_attention_shape *a) {
    int64_t keys = visible(a, t), share = a->H / a->G;
    struct seen seen[ROW_HEADS];
    out += (t * a->H + h) * a->D;
    q += t * a->q_stride + h * a->D;
    for (int64_t i = 0; i < heads; i++)
        seen[i] = (struct seen){NOTHING_SEEN, 0};
    memset(out, 0, sizeof *out * (size_t)(heads * a->D));
    for (int64_t s0 = 0; s0 < keys; s0 += ROW_KEYS)
        for (int64_t i = 0; i < heads; i++)
            attend_keys(&seen[i], out + i * a->D, q + i * a->D, k, v, type, s0 * a->kv_stride + (h + i) / share * a->D,
                        least(ROW_KEYS, keys - s0), a);
    for (int64_t i = 0; i < heads; i++) {
        for (int64_t d = 0; d < a->D && seen[i].total > 0; d++)
            out[i * a->D + d] /= seen[i].total;
        if (lse)
            lse[t * a->H + h + i] = seen[i].top + logf(seen[i].total);
    }
}

ALWAYS_INLINE void attend_rows(float *out, float *lse, const float *q, const void *k, const void *v, enum lp_dtype type,
                               const struct lp_attention_shape *a) {
    int64_t threads = omp_get_max_threads(), heads = least(ROW_HEADS, (a->T * a->H + threads - 1) / threads),
            parts = (a->H + heads - 1) / heads;
#pragma omp parallel for schedule(static) if (a->T * a->S * a->H * a->D >= 1 << 18)
    for (int64_t i = 0; i < a->T * parts; i++) {
        int64_t h = i % parts * heads;
        attend_row(out, lse, q, k, v, type, i / parts, h, least(heads, a->H - h), a);
    }
}

static void attention_half(float *out, const float *q, const uint16_t *k, const uint16_t *v,
                           const struct lp_attention_shape *a) {
    attend_rows(out, NULL, q, k, v, LP_F16, a);
}

static void attention(float *out, float *lse, const float *q, const float *k, const float *v,
                      const struct lp_attention_shape *a) {
    if (a->T <= LP_FEW_QUERIES && !a->row_bias) {
        attend_rows(out, lse, q, k, v, LP_F32, a);
        return;
    }
    int64_t size = attend_block_floats(a), blocks = (a->T + B - 1) / B;
    int threads = a->T * a->S * a->H * a->D >= 1 << 18 ? omp_get_max_threads() : 1;
    float *memory = lp_scratch((size_t)(size * threads));
    if (!memory) {
        lp_portable_attention(out, lse, q, k, v, a);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < a->H * blocks; i++)
        attend_block(out, lse, q, k, v, a, i / blocks, i % blocks * B, memory + size * omp_get_thread_num());
}

#endif
