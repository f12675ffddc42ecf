/* SPDX-License-Identifier: MIT */
/* portable.h - the portable kernels, one declaration per entry of struct lp_kernels. Tables of other
 * instruction sets start as a copy of lp_portable_table, and call these where a problem is not theirs. */
#ifndef LP_KERNEL_PORTABLE_PORTABLE_H
#define LP_KERNEL_PORTABLE_PORTABLE_H

#include "kernel/kernel.h"

/* From this many multiply-adds (or a comparable amount of work) on a fork-join of threads pays. */
#define LP_PARALLEL_WORK 65536

extern const struct lp_kernels lp_portable_table;

void lp_portable_matmul_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                           int64_t M, int64_t N, int64_t K);
int64_t lp_portable_packed_bytes(enum lp_dtype type, int64_t N, int64_t K);
void lp_portable_pack(void *packed, const void *w, enum lp_dtype type, int64_t N, int64_t K);
void lp_portable_matmul_packed(const struct lp_product *p, int count, const float *x, int64_t M);
void lp_portable_matmul_packed_half(const struct lp_product *p, int count, const float *x, int64_t M);
void lp_portable_gather_packed(float *y, const struct lp_packed *table, const int32_t *id, int64_t n);
void lp_portable_matmul_nn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K,
                           bool add);
void lp_portable_matmul_tn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K);
void lp_portable_sum_rows(float *y, const float *x, int64_t M, int64_t N);

void lp_portable_layer_norm(float *y, float *stat, const float *x, const float *w, const float *b,
                            int64_t rows, int64_t C, float eps);
void lp_portable_layer_norm_grad(float *dx, float *dw, float *db, const float *dy, const float *x,
                                 const float *w, const float *stat, int64_t rows, int64_t C);
void lp_portable_rms_norm(float *y, float *stat, const float *x, const float *w, int64_t rows, int64_t C,
                          float eps);
void lp_portable_rms_norm_grad(float *dx, float *dw, const float *dy, const float *x, const float *w,
                               const float *stat, int64_t rows, int64_t C);

void lp_portable_group_norm(float *y, const float *x, const float *w, const float *b, int64_t places,
                            int64_t C, int64_t groups, float eps);

void lp_portable_add(float *y, const float *a, const float *b, int64_t n);
void lp_portable_add_scaled(float *y, const float *x, float scale, int64_t n);
void lp_portable_act(float *y, const float *x, enum lp_act act, int64_t n);
void lp_portable_act_grad(float *dx, const float *dy, const float *x, enum lp_act act, int64_t n);
void lp_portable_swiglu(float *y, const float *gate, const float *up, int64_t n);
void lp_portable_swiglu_grad(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                             int64_t n);
void lp_portable_rope(float *y, const float *x, const int32_t *position, int64_t T, int64_t H, int64_t D,
                      float theta, float sign, bool add);

void lp_portable_attention(float *out, float *lse, const float *q, const float *k, const float *v,
                           const struct lp_attention_shape *shape);
void lp_portable_attention_half(float *out, const float *q, const uint16_t *k, const uint16_t *v,
                                const struct lp_attention_shape *shape);
void lp_portable_attention_grad(float *dq, float *dk, float *dv, const float *dout, const float *out,
                                const float *lse, const float *q, const float *k, const float *v,
                                const struct lp_attention_shape *shape);

void lp_portable_deformable_attention(float *y, const float *value, const float *offset, const float *weight,
                                      const float *reference, const struct lp_deform_shape *shape);

void lp_portable_resize_bilinear(float *y, const float *x, const struct lp_resize_shape *shape);
void lp_portable_resize_bilinear_grad(float *dx, const float *dy, const struct lp_resize_shape *shape);
void lp_portable_positive_bilinear(uint8_t *y, const float *x, const struct lp_resize_shape *shape);

void lp_portable_gather(float *y, const void *table, enum lp_dtype type, const int32_t *id, int64_t n,
                        int64_t C);
void lp_portable_scatter_add(float *table, const float *dy, const int32_t *id, int64_t n, int64_t C);
void lp_portable_softmax(float *y, const float *x, int64_t rows, int64_t C);
void lp_portable_cross_entropy(float *loss, float *prob, const float *logits, const int32_t *target,
                               int64_t rows, int64_t C);
void lp_portable_cross_entropy_grad(float *dlogits, const float *prob, const int32_t *target, float scale,
                                    int64_t rows, int64_t C);

void lp_portable_adamw(float *w, float *m, float *v, const float *grad, int64_t n,
                       const struct lp_adamw_step *step);
double lp_portable_sum_squares(const float *x, int64_t n);

void lp_portable_to_f32(float *y, const void *x, enum lp_dtype type, int64_t n);
void lp_portable_from_f32(void *y, const float *x, enum lp_dtype type, int64_t n);

#endif
