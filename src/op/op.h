/* SPDX-License-Identifier: MIT */
/* The ops: eager functions on tensors, one a file, each with its gradient. The run comes first; NULL comes back
 * after a failure (see run.h). Shapes in brackets, outermost first. Ops never work in place. */
#ifndef LP_OP_OP_H
#define LP_OP_OP_H

#include "kernel/kernel.h"
#include "tensor/run.h"

/* y = x w^T + b.  x [..,K] float32, w [N,K] of any type, packed or not, b [N] or NULL -> [..,N]. */
lp_tensor *lp_matmul(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b);

/* The same of n <= LP_PRODUCTS packed matrices at once, all of blocks or all of float16. Without a tape, activations in
 * float32. On failure every y is NULL. */
void lp_matmul_packed(lp_run *r, lp_tensor *x, int n, lp_tensor *const w[], lp_tensor *const b[], lp_tensor *y[]);

/* a + b.  a [..,C]; b of the same count, or repeated over a's leading rows. -> like a. */
lp_tensor *lp_add(lp_run *r, lp_tensor *a, lp_tensor *b);

/* scale x, for any x. */
lp_tensor *lp_scale(lp_run *r, lp_tensor *x, float scale);

/* x [..,C], w b [C] -> like x, normalised over the last axis. */
lp_tensor *lp_layer_norm(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, float eps);
lp_tensor *lp_rms_norm(lp_run *r, lp_tensor *x, lp_tensor *w, float eps);

/* x [places,C], w b [C] -> like x, each of `groups` groups of channels normalised over all places. No gradient. */
lp_tensor *lp_group_norm(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, int64_t groups, float eps);

/* Each row e^x over its sum.  x [..,C] -> like x. No gradient. */
lp_tensor *lp_softmax(lp_run *r, lp_tensor *x);

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

/* Squares of a picture as rows.  pixels [n,3,H,W] -> [n*(H/P)*(W/P),3*P*P], as a convolution of stride P sees them. */
lp_tensor *lp_patches(lp_run *r, lp_tensor *pixels, int64_t patch);

/* A convolution of square kernels over maps of height x width places with zeros around them. */
struct lp_conv_settings {
    int64_t height, width, kernel, stride, padding;
};
/* What it sees at each place.  x [n*height*width,C] -> [n*h*w,C*kernel^2], channels outermost: lp_matmul with a weight
 * [O,C,kernel,kernel] is the convolution. */
lp_tensor *lp_unfold(lp_run *r, lp_tensor *x, const struct lp_conv_settings *s);

/* Transposed, stride = kernel: each place becomes s x s.  x [n*height*width,C], w [C,O,s,s], b [O]
 * -> [n*s*height*s*width,O]. */
lp_tensor *lp_conv_transpose(lp_run *r, lp_tensor *x, lp_tensor *w, lp_tensor *b, int64_t height, int64_t width);

/* A map in windows of side x side places, rolled up and left by shift (0..side-1) places first.  x [H*W,C] ->
 * [n*side*side,C], zeros where windows have places beyond the map, and back. */
lp_tensor *lp_windows(lp_run *r, lp_tensor *x, int64_t H, int64_t W, int64_t side, int64_t shift);
lp_tensor *lp_unwindows(lp_run *r, lp_tensor *x, int64_t H, int64_t W, int64_t side, int64_t shift);

/* Softmax attention within such windows, of which there are rows x columns, with a bias by the distance of query and
 * key.  q k v [rows*columns*side*side,heads*D], table [(2*side-1)^2,heads] float32 -> like q. No gradient. */
struct lp_window_settings {
    int64_t heads, side, rows, columns, shift;
};
lp_tensor *lp_window_attention(lp_run *r, lp_tensor *q, lp_tensor *k, lp_tensor *v, lp_tensor *table,
                               const struct lp_window_settings *s);

/* Softmax attention within windows of window x window places of a square of side x side, with a bias by distance in rows
 * and in columns. qkv [side*side,3*heads*D], outside [3*heads*D] of places that windows have beyond the square, or NULL for
 * zeros, tables [2*window-1,D] float32, both or neither -> [side*side,heads*D]. No gradient. */
lp_tensor *lp_grid_attention(lp_run *r, lp_tensor *qkv, lp_tensor *outside, lp_tensor *row_table, lp_tensor *column_table,
                             int64_t side, int64_t window, int64_t heads);

/* Sums of samples of several maps (Zhu et al. 2020, arXiv:2010.04159). value [places of all maps,heads*D],
 * offset [Q,heads*levels*points*2] and weight [Q,heads*levels*points], before its softmax, as struct
 * lp_deform_shape says (kernel.h); reference [Q,2 or 4] -> [Q,heads*D]. Of the shape are read heads, levels, points
 * and map. No gradient. */
lp_tensor *lp_deformable_attention(lp_run *r, lp_tensor *value, lp_tensor *offset, lp_tensor *weight,
                                   lp_tensor *reference, const struct lp_deform_shape *shape);

/* Maps at another size.  x [n,h,w] -> [n,H,W]; half-pixel centres, as PyTorch without align_corners. */
lp_tensor *lp_resize_bilinear(lp_run *r, lp_tensor *x, int64_t H, int64_t W);

/* Sum of -log softmax(logits)[target] over rows whose target is not LP_IGNORE.  logits [n,V], target [n]
 * (borrowed while the tape lives) -> [1]. */
enum { LP_IGNORE = -100 };
lp_tensor *lp_cross_entropy(lp_run *r, lp_tensor *logits, const int32_t *target);

#endif
