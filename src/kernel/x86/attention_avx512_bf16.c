/* SPDX-License-Identifier: MIT */
/* attention_avx512_bf16.c - attention whose products are VDPBF16PS. */
#include "kernel/x86/pairs_avx512_bf16.h"

#include "kernel/vector/math.h"

#include "kernel/vector/attention_tiles.h"
#include "kernel/x86/x86.h"

enum { PAIR_STEP = 1, PAIR_KEYS = KEYS };

#include "kernel/x86/attention_pairs.h"

/* [pairs][D]. */
static void load_values(const struct work *w, const float *v, const struct lp_attention_shape *a,
                        int64_t keys) {
    pair_rows(w->value, a->D, v, a->kv_stride, keys, (int)a->D, 0, (keys + 1) / 2);
}

static void score_keys(const struct work *w, int64_t s0, int64_t n) {
    rows_by_block(w->score, w->key + s0 * w->depth, w->depth, w->query, n, w->depth);
}

static void add_values(const struct work *w, int64_t s0, int64_t n, const struct lp_attention_shape *a) {
    block_by_rows(w->sum, w->value + s0 / 2 * a->D, a->D, w->chance, (n + 1) / 2, a->D, s0 > 0);
}

void lp_avx512_bf16_put_attention(struct lp_kernels *table) {
    put_attention_of_pairs(table);
}
