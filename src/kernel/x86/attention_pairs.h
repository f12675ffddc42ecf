/* SPDX-License-Identifier: MIT */
/* attention_pairs.h - attention over pairs of bf16: as vector/attention.h, but queries, keys, values and
 * probabilities are rounded to bf16. A thread takes one head: it makes pairs of the head's keys and values
 * once, and then goes through blocks of queries.
 *
 * Needs x86/pairs_avx512_bf16.h, vector/math.h and vector/attention_tiles.h, and what an instruction set
 * brings for struct work: PAIR_STEP, the pairs that it multiplies at once, PAIR_KEYS, the most keys of a tile
 * of scores; load_values, score_keys and add_values. */
#ifndef LP_KERNEL_X86_ATTENTION_PAIRS_H
#define LP_KERNEL_X86_ATTENTION_PAIRS_H

#include "kernel/scratch.h"

#include <omp.h>

#define LOG2_E 1.44269504f

static void (*attention_float)(float *, float *, const float *, const float *, const float *,
                               const struct lp_attention_shape *);

/* What a thread needs for one head and one block of its queries, in units of 32 bits. Depth is D/2, and
 * `pairs` S/2, in whole steps; numbers beyond D are zeros, and so are values beyond S. */
struct work {
    int64_t depth, pairs;
    float *key;    /* [2 pairs][depth] pairs along D */
    float *value;  /* pairs along S, 2 depth times `pairs` of them, as load_values puts them */
    float *query;  /* [depth][B] pairs, turned */
    float *sum;    /* [2 depth][B] */
    float *score;  /* [PAIR_KEYS][B] */
    float *chance; /* [PAIR_KEYS/2][B] pairs */
    float *row_bias, *column_bias; /* [rows][B], [columns][B] */
    float *rows;                   /* [B][the most of depth, rows, columns] */
};

/* value = rows v of keys that are seen. */
static void load_values(const struct work *w, const float *v, const struct lp_attention_shape *a,
                        int64_t keys);
/* score[n][B] = the queries with keys s0... */
static void score_keys(const struct work *w, int64_t s0, int64_t n);
/* sum (+)= the values of keys s0.., each times its chance. */
static void add_values(const struct work *w, int64_t s0, int64_t n, const struct lp_attention_shape *a);

static int64_t rows_of(const struct lp_attention_shape *a) {
    return a->row_bias ? a->S / a->columns : 0;
}

static int64_t columns_of(const struct lp_attention_shape *a) {
    return a->row_bias ? a->columns : 0;
}

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* n units in whole steps. */
static int64_t in_steps(int64_t n) {
    return (n + PAIR_STEP - 1) / PAIR_STEP * PAIR_STEP;
}

static struct work divide(float *memory, const struct lp_attention_shape *a, int64_t *size) {
    struct work w = {.depth = in_steps(a->D / 2), .pairs = in_steps((a->S + 1) / 2)};
    int64_t at = 0, wide = larger(w.depth, larger(rows_of(a), columns_of(a)));
#define TAKE(field, n) (w.field = memory ? memory + at : NULL, at += ((n) + 15) / 16 * 16)
    TAKE(key, 2 * w.pairs * w.depth);
    TAKE(value, 2 * w.depth * w.pairs);
    TAKE(query, w.depth * B);
    TAKE(sum, 2 * w.depth * B);
    TAKE(score, PAIR_KEYS * B);
    TAKE(chance, PAIR_KEYS / 2 * B);
    TAKE(row_bias, rows_of(a) * B);
    TAKE(column_bias, columns_of(a) * B);
    TAKE(rows, wide * B);
#undef TAKE
    *size = at;
    return w;
}

/* pairs[depth] = n numbers of x times scale. */
static void load_pairs(const struct work *w, float *pairs, const float *x, int64_t n, vec scale) {
    float scaled[LANES];
    for (int64_t d = 0; d < 2 * w->depth; d += LANES) {
        vec part = vec_set(0);
        if (d < n)
            part = load_part(x + d, lanes_at(d, n)) * scale;
        vec_store(scaled, part);
        round_to_pairs(pairs + d / 2, scaled, least(LANES, 2 * w->depth - d));
    }
}

static void load_keys(const struct work *w, const float *k, const struct lp_attention_shape *a,
                      int64_t keys) {
    for (int64_t s = 0; s < keys; s++)
        load_pairs(w, w->key + s * w->depth, k + s * a->kv_stride, a->D, vec_set(1));
}

/* turned[n][B] of rows x[B][n], times scale. */
static void turn_scaled(float *turned, float *rows, const float *x, int64_t stride, int64_t count, int64_t n,
                        float scale) {
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < n; j += LANES) {
            int64_t m = lanes_at(j, n);
            store_part(rows + i * n + j, load_part(x + i * stride + j, m) * vec_set(scale), m);
        }
    turn_wide(turned, B, rows, n, (int)count, n);
}

/* Scores are in powers of two: queries and biases are multiplied by log2(e). */
static void load_queries(const struct work *w, const float *q, const struct lp_attention_shape *a, int64_t h,
                         int64_t t0, int64_t n) {
    int64_t at = t0 * a->H + h, rows = rows_of(a), columns = columns_of(a);
    for (int64_t i = 0; i < n; i++)
        load_pairs(w, w->rows + i * w->depth, q + (t0 + i) * a->q_stride + h * a->D, a->D,
                   vec_set(a->scale * LOG2_E));
    turn_wide(w->query, B, w->rows, w->depth, (int)n, w->depth);
    if (!a->row_bias)
        return;
    turn_scaled(w->row_bias, w->rows, a->row_bias + at * rows, a->H * rows, n, rows, LOG2_E);
    turn_scaled(w->column_bias, w->rows, a->column_bias + at * columns, a->H * columns, n, columns, LOG2_E);
}

/* 2^x for x <= 0, within 1e-4 of itself: bf16 has eight bits. A NaN stays one. */
static inline vec exp2_rough(vec x) {
    x = vec_max(vec_set(-200), x);
    vec n = vec_round(x), r = x - n, p = vec_set(0.05517167f);
    p = vec_fma(p, r, vec_set(0.24261112f));
    p = vec_fma(p, r, vec_set(0.69326099f));
    p = vec_fma(p, r, vec_set(0.99992807f));
    return vec_scale2(p, n);
}

/* n scores of LANES queries to pairs of probabilities against the running maximum. */
static inline void softmax_step(float *chance, const float *score, int64_t n, vec *top, vec *total,
                                vec *shrink) {
    vec high = *top, other = high, sum = vec_set(0), sum2 = sum;
    for (int64_t i = 0; i + 1 < n; i += 2) {
        high = vec_max(high, vec_load(score + i * B));
        other = vec_max(other, vec_load(score + i * B + B));
    }
    if (n % 2)
        high = vec_max(high, vec_load(score + (n - 1) * B));
    high = vec_max(high, other);
    for (int64_t i = 0; i + 1 < n; i += 2) {
        vec a = exp2_rough(vec_load(score + i * B) - high),
            b = exp2_rough(vec_load(score + i * B + B) - high);
        vec_store(chance + i / 2 * B, pair_of(a, b));
        sum += a;
        sum2 += b;
    }
    if (n % 2) {
        vec a = exp2_rough(vec_load(score + (n - 1) * B) - high);
        vec_store(chance + n / 2 * B, pair_of(a, vec_set(0)));
        sum += a;
    }
    *shrink = exp2_rough(*top - high);
    *total = vec_fma(*total, *shrink, sum + sum2);
    *top = high;
}

/* Queries t0.. of head h, at most B. */
static void attend_block(const struct work *w, float *out, float *lse, const struct lp_attention_shape *a,
                         int64_t h, int64_t t0, int64_t n) {
    int64_t D = a->D, keys = visible(a, t0 + n - 1);
    vec top[2], total[2], shrink[2];
    for (int j = 0; j < 2; j++) {
        top[j] = vec_set(NOTHING_SEEN);
        total[j] = vec_set(0);
    }
    for (int64_t i = 0; keys == 0 && i < D * B; i += LANES)
        vec_store(w->sum + i, vec_set(0));
    for (int64_t s0 = 0; s0 < keys; s0 += PAIR_KEYS) {
        int64_t m = least(PAIR_KEYS, keys - s0);
        score_keys(w, s0, m);
        hide_unseen(w->score, a, t0, s0, m);
        if (a->row_bias)
            add_biases(w->score, w->row_bias, w->column_bias, a->columns, s0, m);
        for (int j = 0; j < 2; j++)
            softmax_step(w->chance + j * LANES, w->score + j * LANES, m, &top[j], &total[j], &shrink[j]);
        if (s0 > 0)
            scale_block(w->sum, D, shrink);
        add_values(w, s0, m, a);
    }
    put_block(out + (t0 * a->H + h) * D, a->H * D, w->sum, total, n, D);
    float tops[B], totals[B];
    for (int j = 0; j < 2; j++) {
        vec_store(tops + j * LANES, top[j]);
        vec_store(totals + j * LANES, total[j]);
    }
    for (int64_t i = 0; lse && i < n; i++)
        lse[(t0 + i) * a->H + h] = tops[i] / LOG2_E + logf(totals[i]);
}

/* Blocks first..end of a head's queries. */
static void attend_head(float *memory, float *out, float *lse, const float *q, const float *k, const float *v,
                        const struct lp_attention_shape *a, int64_t h, int64_t first, int64_t end) {
    int64_t size, g = h / (a->H / a->G), last = least(end * B, a->T);
    struct work w = divide(memory, a, &size);
    load_keys(&w, k + g * a->D, a, visible(a, last - 1));
    load_values(&w, v + g * a->D, a, visible(a, last - 1));
    for (int64_t t0 = first * B; t0 < last; t0 += B) {
        load_queries(&w, q, a, h, t0, least(B, last - t0));
        attend_block(&w, out, lse, a, h, t0, least(B, last - t0));
    }
}

/* Queries that would leave most lanes of a block empty go by the float32 kernel, which streams keys for a
 * few. */
static int64_t attend_leftover(float *out, float *lse, const float *q, const float *k, const float *v,
                               const struct lp_attention_shape *a) {
    int64_t left = a->T % B;
    if (left == 0 || left > LP_FEW_QUERIES || a->row_bias)
        return 0;
    struct lp_attention_shape some = *a;
    int64_t t0 = a->T - left;
    some.T = left;
    attention_float(out + t0 * a->H * a->D, lse ? lse + t0 * a->H : NULL, q + t0 * a->q_stride, k, v, &some);
    return left;
}

/* By all threads. False, and nothing done, when memory is lacking. */
static bool attend_rough(float *out, float *lse, const float *q, const float *k, const float *v,
                         const struct lp_attention_shape *a) {
    int64_t size, threads = a->T * a->S * a->H * a->D >= 1 << 18 ? omp_get_max_threads() : 1;
    divide(NULL, a, &size);
    float *memory = lp_scratch((size_t)(size * threads));
    if (!memory)
        return false;
    int64_t blocks = (a->T + B - 1) / B, parts = least(blocks, (4 * threads + a->H - 1) / a->H),
            length = (blocks + parts - 1) / parts;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t i = 0; i < a->H * parts; i++)
        if (i % parts * length < blocks)
            attend_head(memory + size * omp_get_thread_num(), out, lse, q, k, v, a, i / parts,
                        i % parts * length, least(i % parts * length + length, blocks));
    return true;
}

static void attention(float *out, float *lse, const float *q, const float *k, const float *v,
                      const struct lp_attention_shape *a) {
    struct lp_attention_shape most = *a;
    if (a->rough && a->D % 2 == 0 && a->T > LP_FEW_QUERIES) {
        int64_t left = attend_leftover(out, lse, q, k, v, a);
        most.T -= left;
        if (a->causal) /* so that query 0 sees what it saw */
            most.S -= left;
        if (attend_rough(out, lse, q, k, v, &most))
            return;
    }
    attention_float(out, lse, q, k, v, a);
}

static void put_attention_of_pairs(struct lp_kernels *table) {
    attention_float = table->attention;
    table->attention = attention;
}

#endif
