/* SPDX-License-Identifier: MIT */
/* vector/attention_grad.h - the gradient of vector/attention.h, in the same blocks: probabilities are
 * recomputed from lse. With P [key][B] of a block of queries: dv += P dout; dP = v dout^T; dS = P (dP -
 * sum(dout out)) scale; dq += dS^T k; dk += dS q. */
#ifndef LP_KERNEL_VECTOR_ATTENTION_GRAD_H
#define LP_KERNEL_VECTOR_ATTENTION_GRAD_H

#include "kernel/vector/attention.h"

struct attention_grad {
    float *dq, *dk, *dv;
    const float *dout, *out, *lse, *q, *k, *v;
    const struct lp_attention_shape *a;
    int64_t wide; /* D up to a whole number of tile columns */
};

/* What a thread needs for one block of queries. */
struct grad_block {
    float *q_turned, *dout_turned, *dq_turned; /* [D][B] */
    float *q_rows, *dout_rows;                 /* [B][wide], zeros past D */
    float *score, *dscore;                     /* [KEYS][B] */
    float mean[B], lse[B];                     /* sum(dout out); 0 for lse of a query that sees nothing */
};

static inline int64_t grad_block_floats(const struct attention_grad *p) {
    return (3 * p->a->D + 2 * p->wide + 2 * KEYS) * B;
}

static void copy_padded(float *y, const float *x, int64_t stride, int64_t rows, int64_t D, int64_t wide) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t d = 0; d < wide; d += LANES)
            vec_store(y + i * wide + d, d < D ? load_part(x + i * stride + d, lanes_at(d, D)) : vec_set(0));
}

static void load_block(struct grad_block *b, const struct attention_grad *p, float *memory, int64_t h,
                       int64_t t0, int64_t n) {
    const struct lp_attention_shape *a = p->a;
    int64_t D = a->D, row = a->H * D, at = t0 * row + h * D;
    const float *q = p->q + t0 * a->q_stride + h * D;
    b->q_turned = memory;
    b->dout_turned = b->q_turned + D * B;
    b->dq_turned = b->dout_turned + D * B;
    b->q_rows = b->dq_turned + D * B;
    b->dout_rows = b->q_rows + p->wide * B;
    b->score = b->dout_rows + p->wide * B;
    b->dscore = b->score + KEYS * B;
    turn_wide(b->q_turned, B, q, a->q_stride, (int)n, D);
    turn_wide(b->dout_turned, B, p->dout + at, row, (int)n, D);
    copy_padded(b->q_rows, q, a->q_stride, n, D, p->wide);
    copy_padded(b->dout_rows, p->dout + at, row, n, D, p->wide);
    for (int64_t i = 0; i < B; i++) {
        float lse = i < n ? p->lse[(t0 + i) * a->H + h] : 0;
        b->mean[i] = i < n ? dot_numbers(p->dout + at + i * row, p->out, LP_F32, at + i * row, D) : 0;
        b->lse[i] = lse == -INFINITY ? 0 : lse;
    }
}

/* Scores to probabilities, and dP to dS. */
static void finish_scores(struct grad_block *b, int64_t n, float scale) {
    for (int j = 0; j < B; j += LANES) {
        vec lse = vec_load(b->lse + j), mean = vec_load(b->mean + j);
        for (int64_t i = 0; i < n; i++) {
            float *s = b->score + i * B + j, *ds = b->dscore + i * B + j;
            vec prob = vec_exp(vec_load(s) - lse);
            vec_store(s, prob);
            vec_store(ds, prob * (vec_load(ds) - mean) * vec_set(scale));
        }
    }
}

/* y[i][d] += sum over t < n of p[i][t] rows[t][d], for `keys` keys i. */
static void add_to_keys(float *y, int64_t stride, const float *p, const float *rows, int64_t wide,
                        int64_t keys, int64_t n, int64_t D) {
    int64_t h = even_rows(keys);
    for (int64_t i = 0; i < keys; i += h)
        for (int64_t d = 0; d < D; d += TILE_COLUMNS) {
            struct tile t = {.y = y + i * stride + d,
                             .y_row = stride,
                             .x = p + i * B,
                             .x_row = B,
                             .x_k = 1,
                             .w = rows + d,
                             .w_k = wide,
                             .n = n,
                             .columns = (int)least(TILE_COLUMNS, D - d),
                             .add = true};
            tile_of_strides((int)least(h, keys - i), &t);
        }
}

static void add_dq(const struct attention_grad *p, struct grad_block *b, int64_t h, int64_t t0, int64_t n) {
    const struct lp_attention_shape *a = p->a;
    for (int64_t d = 0; d < a->D; d += LANES)
        turn(b->q_rows + d, p->wide, b->dq_turned + d * B, B, (int)least(LANES, a->D - d), n);
    for (int64_t i = 0; i < n; i++) {
        float *row = p->dq + (t0 + i) * a->q_stride + h * a->D;
        for (int64_t d = 0; d < a->D; d += LANES) {
            int64_t m = lanes_at(d, a->D);
            store_part(row + d, load_part(row + d, m) + load_part(b->q_rows + i * p->wide + d, m), m);
        }
    }
}

/* The block of queries t0.. of head h with keys first..end: dq where `queries`, dk and dv where `keys`. */
static void grad_of_block(const struct attention_grad *p, int64_t h, int64_t t0, int64_t first, int64_t end,
                          bool queries, bool keys, float *memory) {
    const struct lp_attention_shape *a = p->a;
    int64_t n = least(B, a->T - t0), g = h / (a->H / a->G);
    end = least(end, visible(a, t0 + n - 1));
    if (first >= end)
        return;
    struct grad_block b;
    load_block(&b, p, memory, h, t0, n);
    for (int64_t s0 = first; s0 < end; s0 += KEYS) {
        int64_t m = least(KEYS, end - s0), at = s0 * a->kv_stride + g * a->D;
        rows_by_block(b.score, p->k + at, a->kv_stride, b.q_turned, m, a->D);
        rows_by_block(b.dscore, p->v + at, a->kv_stride, b.dout_turned, m, a->D);
        mask_scores(b.score, a, t0, s0, m);
        finish_scores(&b, m, a->scale);
        if (queries)
            block_by_rows(b.dq_turned, p->k + at, a->kv_stride, b.dscore, m, a->D, s0 > first);
        if (keys && p->dv)
            add_to_keys(p->dv + at, a->kv_stride, b.score, b.dout_rows, p->wide, m, n, a->D);
        if (keys && p->dk)
            add_to_keys(p->dk + at, a->kv_stride, b.dscore, b.q_rows, p->wide, m, n, a->D);
    }
    if (queries)
        add_dq(p, &b, h, t0, n);
}

/* A thread owns a key head, and with it all that is added to its dk and dv. */
static void grad_by_heads(const struct attention_grad *p, float *memory, int64_t size, int threads) {
    int64_t share = p->a->H / p->a->G;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (int64_t g = 0; g < p->a->G; g++)
        for (int64_t h = g * share; h < (g + 1) * share; h++)
            for (int64_t t = 0; t < p->a->T; t += B)
                grad_of_block(p, h, t, 0, p->a->S, p->dq != NULL, true, memory + size * omp_get_thread_num());
}

/* With fewer key heads than threads: first dq by blocks of queries, then dk and dv by tiles of keys. */
static void grad_by_parts(const struct attention_grad *p, float *memory, int64_t size, int threads) {
    const struct lp_attention_shape *a = p->a;
    int64_t share = a->H / a->G, blocks = (a->T + B - 1) / B, tiles = (a->S + KEYS - 1) / KEYS;
#pragma omp parallel num_threads(threads)
    {
        float *own = memory + size * omp_get_thread_num();
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < a->H * blocks; i++)
            if (p->dq)
                grad_of_block(p, i / blocks, i % blocks * B, 0, a->S, true, false, own);
#pragma omp for schedule(dynamic)
        for (int64_t i = 0; i < a->G * tiles; i++) {
            int64_t g = i / tiles, s = i % tiles * KEYS;
            for (int64_t h = g * share; h < (g + 1) * share && (p->dk || p->dv); h++)
                for (int64_t t = 0; t < a->T; t += B)
                    grad_of_block(p, h, t, s, least(s + KEYS, a->S), false, true, own);
        }
    }
}

static void attention_grad(float *dq, float *dk, float *dv, const float *dout, const float *out,
                           const float *lse, const float *q, const float *k, const float *v,
                           const struct lp_attention_shape *a) {
    struct attention_grad p = {dq, dk, dv, dout, out, lse, q, k, v, a, (a->D + B - 1) / B * B};
    int64_t size = grad_block_floats(&p);
    int threads = a->T * a->S * a->H * a->D >= 1 << 17 ? omp_get_max_threads() : 1;
    float *memory = lp_scratch((size_t)(size * threads));
    if (!memory)
        lp_portable_attention_grad(dq, dk, dv, dout, out, lse, q, k, v, a);
    else if (a->G >= threads)
        grad_by_heads(&p, memory, size, threads);
    else
        grad_by_parts(&p, memory, size, threads);
}

#endif
