/* SPDX-License-Identifier: MIT */
/* kernel.h - the table of kernels: pointers and sizes in, numbers out. Row-major; sizes in elements.
 *
 * The CPU's table starts as portable C and is overridden by what CPUID allows. LP_CPU=portable|avx2|avx512|..
 * in the environment masks it. Kernels use OpenMP threads inside where the work is large enough to pay for
 * them. A gradient argument that is NULL is not wanted; gradients are added to what is there. */
#ifndef LP_KERNEL_KERNEL_H
#define LP_KERNEL_KERNEL_H

#include "base/dtype.h"

#include <stdbool.h>
#include <stdint.h>

/* Activation functions. erf GELU; x * sigmoid(1.702 x); x * sigmoid(x); max(x, 0). */
enum lp_act { LP_GELU, LP_QUICK_GELU, LP_SILU, LP_RELU };

/* Up to so many queries attention is memory's speed: keys are read as they are kept. */
enum { LP_FEW_QUERIES = 4 };

/* One attention problem: T queries over S keys, for H heads of D numbers, H/G heads sharing each of G key
 * heads. Rows of q are q_stride apart, those of k and v kv_stride. Causal: query t sees keys 0..S-T+t. */
struct lp_attention_shape {
    int64_t T, S, H, G, D, q_stride, kv_stride;
    float scale;
    bool causal;
    bool rough; /* q, k, v and probabilities may be rounded to bfloat16 */
    /* Keys on a grid of `columns` columns, row after row: the score of query t with key s, already scaled,
     * grows by row_bias[t,h,s / columns] + column_bias[t,h,s % columns]. Both NULL: by nothing. They have no
     * gradient. */
    const float *row_bias, *column_bias; /* [T,H,S / columns], [T,H,columns] */
    int64_t columns;
};

/* Maps x[n,h,w], whose rows lie x_row numbers apart and whose maps x_map, seen at H x W places. */
struct lp_resize_shape {
    int64_t n, h, w, x_row, x_map, H, W;
};

/* Each query's heads sum `points` samples from each of `levels` maps, whose places lie row after row, map after
 * map. A sample lies at the query's reference point, in 0..1 of the map, plus its offset: in places of the map
 * where references are points (x y), else, where they are boxes (x y of the centre, width, height), in halves
 * of the box over `points`. */
enum { LP_DEFORM_LEVELS = 8, LP_DEFORM_POINTS = 16 }; /* at most */
struct lp_deform_shape {
    int64_t queries, heads, D, levels, points;
    int64_t reference_size; /* 2 or 4 */
    struct {
        int64_t H, W;
    } map[LP_DEFORM_LEVELS];
};

/* AdamW (Loshchilov, Hutter 2019) at step t >= 1. */
struct lp_adamw_step {
    float rate, beta1, beta2, eps, decay;
    int64_t t;
    float grad_scale; /* multiplies the gradient first: clipping, averaging */
};

/* w[N,K] of a block type (LP_Q8_0 .. LP_Q6_K) or of LP_F16, whose numbers are blocks of one, in the order in which products
 * read it, once and forwards.
 *
 * A panel holds 16 rows; panels follow each other, and rows past N are zeros. A panel is its K / block blocks
 * one after the other; a panel's block holds what 16 rows' blocks hold in the file, no more and no less:
 * field after field (scales first, see portable/block.c), within a field unit after unit (a binary16, a byte
 * of scales, four bytes of codes), and of each unit row 0 to 15. So packed matrices one behind the other, all
 * N multiples of 16, are one packed matrix, and a packed matrix takes the bytes of its
 * rows: 8.5, 4.5, 4.5, 6.5625, 16 bits a weight. It may lie in a mapped file. Best at a 64-byte boundary; any
 * will do. */
struct lp_packed {
    enum lp_dtype type;
    int64_t N, K;     /* K is a whole number of blocks */
    const void *data; /* borrowed */
};

enum { LP_PANEL_ROWS = 16 };

/* One of the products that are made of the same x: y[M,N] = x[M,K] w^T + bias[N] (bias may be NULL). */
struct lp_product {
    float *y;
    struct lp_packed w;
    const float *bias;
};

enum { LP_PRODUCTS = 4 }; /* at most */

struct lp_kernels {
    const char *name; /* "portable", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx" */

    /* y[M,N] = x[M,K] w[N,K]^T + bias[N] (bias may be NULL); w stored as `type`, K whole blocks of it. Block
     * types are multiplied as float32, slowly: they are meant to be packed. */
    void (*matmul_nt)(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                      int64_t M, int64_t N, int64_t K);

    /* The same, but x and w may be rounded to bfloat16, where that is faster. */
    void (*matmul_rough)(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                         int64_t M, int64_t N, int64_t K);

    /* Bytes of w[N,K] packed; 0 where that cannot be: LP_F32 or LP_BF16, K not whole blocks, sizes out of
     * range. */
    int64_t (*packed_bytes)(enum lp_dtype type, int64_t N, int64_t K);
    /* packed[packed_bytes] = rows w[N,K]. */
    void (*pack)(void *packed, const void *w, enum lp_dtype type, int64_t N, int64_t K);
    /* `count` products of x, all of one K and of block types. x is rounded to 8 bits, in groups of 32 with a scale
     * each (16 for LP_Q6_K), and the products of integers are exact; or, where that is faster for many rows, x and w are
     * rounded to bfloat16, which is closer. A row's numbers do not depend on which other rows there are, but may on
     * whether there are many. */
    void (*matmul_packed)(const struct lp_product *p, int count, const float *x, int64_t M);
    /* The same of LP_F16: nothing is rounded but float32's sums; or, where that is faster for many rows, x to 16 bits. */
    void (*matmul_packed_half)(const struct lp_product *p, int count, const float *x, int64_t M);
    /* y[n,K] = rows `id` of the table, exactly. */
    void (*gather_packed)(float *y, const struct lp_packed *table, const int32_t *id, int64_t n);

    /* y[M,N] (+)= x[M,K] w[K,N]: gradient to a linear layer's input. */
    void (*matmul_nn)(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K, bool add);
    /* y[M,N] += x[K,M]^T w[K,N]: gradient to a linear layer's weight. */
    void (*matmul_tn)(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K);
    /* The same two, but x and w may be rounded to bfloat16, where that is faster. */
    void (*matmul_nn_rough)(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K, bool add);
    void (*matmul_tn_rough)(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K);
    /* y[N] += the sum of x[M,N] over rows: gradient to a bias. */
    void (*sum_rows)(float *y, const float *x, int64_t M, int64_t N);

    /* stat[rows,2] = mean, 1/std. stat, w and b may be NULL. */
    void (*layer_norm)(float *y, float *stat, const float *x, const float *w, const float *b, int64_t rows,
                       int64_t C, float eps);
    void (*layer_norm_grad)(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float *stat, int64_t rows, int64_t C);
    /* stat[rows] = 1/rms. stat and w may be NULL. */
    void (*rms_norm)(float *y, float *stat, const float *x, const float *w, int64_t rows, int64_t C,
                     float eps);
    void (*rms_norm_grad)(float *dx, float *dw, const float *dy, const float *x, const float *w,
                          const float *stat, int64_t rows, int64_t C);

    /* y[places,C]: the channels of each of `groups` normalised together over all places, then scaled by w[C] and
     * shifted by b[C]. C is a whole number of groups. */
    void (*group_norm)(float *y, const float *x, const float *w, const float *b, int64_t places, int64_t C,
                       int64_t groups, float eps);

    void (*add)(float *y, const float *a, const float *b, int64_t n);     /* y = a + b; y may be a or b */
    void (*add_scaled)(float *y, const float *x, float scale, int64_t n); /* y += scale x */
    void (*act)(float *y, const float *x, enum lp_act act, int64_t n);
    void (*act_grad)(float *dx, const float *dy, const float *x, enum lp_act act, int64_t n);
    /* y = silu(gate) * up. */
    void (*swiglu)(float *y, const float *gate, const float *up, int64_t n);
    void (*swiglu_grad)(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                        int64_t n);

    /* Rotates pairs (i, i + D/2) of each of H heads by position * theta^(-2i/D) ("rotate half"). x [T,H,D].
     * sign is 1 forward, -1 for the gradient; y = rotated x, or y += where add. */
    void (*rope)(float *y, const float *x, const int32_t *position, int64_t T, int64_t H, int64_t D,
                 float theta, float sign, bool add);

    /* out [T,H,D], packed; lse [T,H] = log of the sum of exp of scores (may be NULL). */
    void (*attention)(float *out, float *lse, const float *q, const float *k, const float *v,
                      const struct lp_attention_shape *shape);
    /* The same for queries up to LP_FEW_QUERIES, whose keys and values are kept in float16. No biases, nothing rough. */
    void (*attention_half)(float *out, const float *q, const uint16_t *k, const uint16_t *v,
                           const struct lp_attention_shape *shape);
    /* dq has q's strides, dk and dv have k's; dout and out are packed [T,H,D]. */
    void (*attention_grad)(float *dq, float *dk, float *dv, const float *dout, const float *out,
                           const float *lse, const float *q, const float *k, const float *v,
                           const struct lp_attention_shape *shape);

    /* y[queries,heads*D] = sums of samples of value[places of all maps,heads*D], bilinear, zeros outside, each
     * by its weight. offset [queries,heads,levels,points,2] x y, weight without the last axis,
     * reference [queries,2 or 4]. */
    void (*deformable_attention)(float *y, const float *value, const float *offset, const float *weight,
                                 const float *reference, const struct lp_deform_shape *shape);

    /* y[n,H,W] = x between its numbers, half a place from the border at the border: PyTorch's bilinear
     * interpolation without align_corners. */
    void (*resize_bilinear)(float *y, const float *x, const struct lp_resize_shape *shape);
    void (*resize_bilinear_grad)(float *dx, const float *dy, const struct lp_resize_shape *shape);
    /* y[n,H,W] of 0 and 1 = whether that is above 0. */
    void (*positive_bilinear)(uint8_t *y, const float *x, const struct lp_resize_shape *shape);

    /* y[n,C] = rows `id` of table[rows,C], stored as `type`, C whole blocks of it. */
    void (*gather)(float *y, const void *table, enum lp_dtype type, const int32_t *id, int64_t n, int64_t C);
    /* table[id[i]] += dy[i]. */
    void (*scatter_add)(float *table, const float *dy, const int32_t *id, int64_t n, int64_t C);

    /* Each row of x[rows,C] becomes e^x over its sum; y may be x. */
    void (*softmax)(float *y, const float *x, int64_t rows, int64_t C);

    /* Per row of logits[rows,C]: loss[row] = -log softmax(logits)[target]; a target outside 0..C-1 (-100) is
     * ignored and gives 0. prob may be NULL or [rows,C] = softmax. */
    void (*cross_entropy)(float *loss, float *prob, const float *logits, const int32_t *target, int64_t rows,
                          int64_t C);
    /* dlogits += scale * (prob - onehot(target)) on rows whose target is not ignored. */
    void (*cross_entropy_grad)(float *dlogits, const float *prob, const int32_t *target, float scale,
                               int64_t rows, int64_t C);

    void (*adamw)(float *w, float *m, float *v, const float *grad, int64_t n,
                  const struct lp_adamw_step *step);
    double (*sum_squares)(const float *x, int64_t n);

    /* n numbers, whole blocks of `type`. Float types are rounded to nearest even. */
    void (*to_f32)(float *y, const void *x, enum lp_dtype type, int64_t n);
    void (*from_f32)(void *y, const float *x, enum lp_dtype type, int64_t n);
};

/* The fastest table of this machine, chosen once. Never NULL. Process lifetime. */
const struct lp_kernels *lp_kernels_cpu(void);

/* A table by name; NULL where this machine cannot run it. For tests and --cpu. */
const struct lp_kernels *lp_kernels_find(const char *name);

#endif
