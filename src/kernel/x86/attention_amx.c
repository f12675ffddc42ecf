/* SPDX-License-Identifier: MIT */
/* attention_amx.c - attention whose products are TDPBF16PS. */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/vector/math.h"

#include "kernel/vector/attention_tiles.h"
#include "kernel/x86/amx.h"
#include "kernel/x86/x86.h"

enum { PAIR_STEP = AMX_ROWS, PAIR_KEYS = 128 };

#include "kernel/x86/attention_pairs.h"

#include <string.h>

/* y[rows][B] (+)= rows x of n pairs, `stride` apart, times pairs[n][B]; rows is a multiple of 16, n of
 * PAIR_STEP. */
static void multiply_rows(float *y, const float *x, int64_t stride, const float *pairs, int64_t rows,
                          int64_t n, bool add) {
    for (int64_t i = 0; i < rows; i += 2 * AMX_ROWS) {
        bool both = i + AMX_ROWS < rows;
        const float *left = x + i * stride;
        if (add)
            amx_load_sums(y + i * B, B, both);
        else
            amx_zero_sums();
        for (int64_t u = 0; u < n; u += PAIR_STEP) {
            const float *right = pairs + u * B;
            if (both)
                amx_multiply_four(left + u, left + AMX_ROWS * stride + u, stride, right, right + LANES, B);
            else
                amx_multiply_two(left + u, stride, right, right + LANES, B);
        }
        amx_store_sums(y + i * B, B, both);
    }
}

/* [D][pairs]: what is made pair by pair is turned, 16 by 16. */
static void load_values(const struct work *w, const float *v, const struct lp_attention_shape *a,
                        int64_t keys) {
    float pair[PAIR_STEP][LANES];
    for (int64_t u = 0; u < w->pairs; u += PAIR_STEP)
        for (int64_t d = 0; d < 2 * w->depth; d += LANES) {
            int64_t there = least(PAIR_STEP, (keys + 1) / 2 - u), columns = least(LANES, a->D - d);
            if (there < PAIR_STEP || columns < LANES)
                memset(pair, 0, sizeof pair);
            if (there > 0 && columns > 0)
                pair_rows(pair[0], LANES, v + d, a->kv_stride, keys, (int)columns, u, there);
            turn(w->value + d * w->pairs + u, w->pairs, pair[0], LANES, PAIR_STEP,
                 least(LANES, 2 * w->depth - d));
        }
}

static void score_keys(const struct work *w, int64_t s0, int64_t n) {
    amx_begin();
    multiply_rows(w->score, w->key + s0 * w->depth, w->depth, w->query, in_steps(n), w->depth, false);
}

static void add_values(const struct work *w, int64_t s0, int64_t n, const struct lp_attention_shape *a) {
    int64_t pairs = (n + 1) / 2, whole = in_steps(pairs);
    memset(w->chance + pairs * B, 0, sizeof *w->chance * (size_t)((whole - pairs) * B));
    multiply_rows(w->sum, w->value + s0 / 2, w->pairs, w->chance, in_steps(a->D), whole, s0 > 0);
}

void lp_amx_put_attention(struct lp_kernels *table) {
    put_attention_of_pairs(table);
}
