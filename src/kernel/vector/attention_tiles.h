/* SPDX-License-Identifier: MIT */
/* vector/attention_tiles.h - the two products of attention over tiles of keys and a block of B = 2 LANES queries, which
 * lie across the lanes, and what else of it does not depend on the numbers' type. Needs vec, vector/tile.h and
 * vector/pack.h; numbers are units of 32 bits as there. */
#ifndef LP_KERNEL_VECTOR_ATTENTION_TILES_H
#define LP_KERNEL_VECTOR_ATTENTION_TILES_H

#include "kernel/kernel.h"
#include "kernel/parts.h"

#include <math.h>

/* KEYS is the most keys of a tile of scores. */
enum { B = TILE_COLUMNS, KEYS = 10 * TILE_ROWS };

/* Stands for -infinity as a maximum, so that differences of two stay numbers. */
#define NOTHING_SEEN (-1e30f)

static const float lane_number[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The number of rows a tile takes when n rows are split evenly. */
static inline int64_t even_rows(int64_t n) {
    int64_t tiles = (n + TILE_ROWS - 1) / TILE_ROWS;
    return (n + tiles - 1) / tiles;
}

/* How many keys query t sees. */
static inline int64_t visible(const struct lp_attention_shape *a, int64_t t) {
    int64_t n = a->causal ? a->S - a->T + t + 1 : a->S;
    return n < 0 ? 0 : n;
}

/* y[i][B] = sum over d of rows[i][d] columns[d][B], i < n: keys (or values) with turned queries. */
static inline void rows_by_block(float *y, const float *rows, int64_t stride, const float *columns, int64_t n,
                                 int64_t D) {
    int64_t h = even_rows(n);
    for (int64_t i = 0; i < n; i += h) {
        struct tile t = {.y = y + i * B,
                         .y_row = B,
                         .x = rows + i * stride,
                         .x_row = stride,
                         .x_k = 1,
                         .w = columns,
                         .w_k = B,
                         .n = D,
                         .columns = B};
        tile_of_strides((int)least(h, n - i), &t);
    }
}

/* y[d][B] (+)= sum over i < n of rows[i][d] p[i][B]. */
static inline void block_by_rows(float *y, const float *rows, int64_t stride, const float *p, int64_t n,
                                 int64_t D, bool add_to) {
    int64_t h = even_rows(D);
    for (int64_t d = 0; d < D; d += h) {
        struct tile t = {.y = y + d * B,
                         .y_row = B,
                         .x = rows + d,
                         .x_row = 1,
                         .x_k = stride,
                         .w = p,
                         .w_k = B,
                         .n = n,
                         .columns = B,
                         .add = add_to};
        tile_of_strides((int)least(h, D - d), &t);
    }
}

/* Hides from each query those of the keys s0.. that it does not see. */
static inline void hide_unseen(float *score, const struct lp_attention_shape *a, int64_t t0, int64_t s0, int64_t n) {
    if (s0 + n <= visible(a, t0))
        return;
    vec seen[2], lane = vec_load(lane_number);
    for (int j = 0; j < 2; j++) /* as numbers: exact below 2^24 keys */
        seen[j] = vec_set((float)(a->S - a->T + t0 + 1 + j * LANES)) + lane;
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < 2; j++) {
            float *p = score + i * B + j * LANES;
            vec_store(p, vec_where_less(vec_set((float)(s0 + i)), seen[j], vec_load(p), vec_set(-INFINITY)));
        }
}

/* Adds the biases of keys s0.. , turned as [rows][B] and [columns][B]. */
static inline void add_biases(float *score, const float *row, const float *column, int64_t columns, int64_t s0,
                              int64_t n) {
    row += s0 / columns * B;
    for (int64_t i = 0, x = s0 % columns; i < n; i++, x++) {
        if (x == columns) {
            x = 0;
            row += B;
        }
        for (int64_t j = 0; j < B; j += LANES)
            vec_store(score + i * B + j,
                      vec_load(score + i * B + j) + (vec_load(row + j) + vec_load(column + x * B + j)));
    }
}

/* y[n][B] times one factor a query. */
static inline void scale_block(float *y, int64_t n, const vec factor[2]) {
    for (int64_t i = 0; i < n * B; i += B) {
        vec_store(y + i, vec_load(y + i) * factor[0]);
        vec_store(y + i + LANES, vec_load(y + i + LANES) * factor[1]);
    }
}

/* Writes n queries' sum[D][B] over their total as rows; those that see nothing get zeros. */
static inline void put_block(float *out, int64_t stride, float *sum, const vec total[2], int64_t n, int64_t D) {
    vec factor[2];
    for (int j = 0; j < 2; j++)
        factor[j] = vec_where_less(vec_set(0), total[j], vec_set(1) / total[j], vec_set(0));
    scale_block(sum, D, factor);
    for (int64_t d = 0; d < D; d += LANES)
        turn(out + d, stride, sum + d * B, B, (int)least(LANES, D - d), n);
}

#endif
