/* SPDX-License-Identifier: MIT */
/* The ops: eager functions on tensors, one a file, each with its gradient. The run comes first; NULL comes back
 * after a failure (see run.h). Shapes in brackets, outermost first. Ops never work in place. */
#ifndef LP_OP_OP_H
#define LP_OP_OP_H

#include "kernel/kernel.h"
#include "tensor/run.h"

/* y = x w^T + b.  x [..,K] float32, w [N,K] of any type, packed or not, b [N] or NULL -> [..,N]. */
lp_tensor *lp_matmul(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b);

/* a + b.  a [..,C]; b of the same count, or repeated over a's leading rows. -> like a. */
lp_tensor *lp_add(lp_run *r, lp_tensor *a, lp_tensor *b);

/* scale x, for any x. */
lp_tensor *lp_scale(lp_run *r, lp_tensor *x, float scale);

/* x [..,C], w b [C] -> like x, normalised over the last axis. */
lp_tensor *lp_layer_norm(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, float eps);
lp_tensor *lp_rms_norm(lp_run *r, lp_tensor *x, lp_tensor *w, float eps);

lp_tensor *lp_act(lp_run *r, lp_tensor *x, enum lp_act act);
lp_tensor *lp_swiglu(lp_run *r, lp_tensor *gate, lp_tensor *up); /* silu(gate) * up */

/* Rotary positions.  x [T,H*D], position [T] (borrowed while the tape lives) -> like x. */
lp_tensor *lp_rope(lp_run *r, lp_tensor *x, const int32_t *position, int64_t heads, float theta);

/* Softmax attention.  q [T,H*D], k v [S,G*D] -> [T,H*D].
 * Without `start` all rows are one sequence; with it, sequence i is rows start[i]..start[i+1]-1 (T = S). */
struct lp_attention_settings {
    int64_t heads, key_heads;
    bool causal;
    const int32_t *start; /* [count+1], borrowed while the tape lives */
    int64_t count;
};
lp_tensor *lp_attention(lp_run *r, lp_tensor *q, lp_tensor *k, lp_tensor *v, const struct lp_attention_settings *s);

/* Rows of a table.  table [V,C] of any type, packed or not, id [n] (0..V-1, borrowed while the tape lives) -> [n,C]. */
lp_tensor *lp_embedding(lp_run *r, lp_tensor *table, const int32_t *id, int64_t n);

/* Rows of two tensors in a new order.  a [A,C], b [B,C] or NULL; index i >= 0 is row i of a, i < 0 row -1-i of b
 * (borrowed while the tape lives) -> [n,C]. */
lp_tensor *lp_pick_rows(lp_run *r, lp_tensor *a, lp_tensor *b, const int32_t *index, int64_t n);

/* Squares of a picture as rows.  pixels [n,3,S,S] -> [n*(S/P)^2, 3*P*P], as a convolution of stride P sees them. */
lp_tensor *lp_patches(lp_run *r, lp_tensor *pixels, int64_t patch);

/* Sum of -log softmax(logits)[target] over rows whose target is not LP_IGNORE.  logits [n,V], target [n]
 * (borrowed while the tape lives) -> [1]. */
enum { LP_IGNORE = -100 };
lp_tensor *lp_cross_entropy(lp_run *r, lp_tensor *logits, const int32_t *target);

#endif
