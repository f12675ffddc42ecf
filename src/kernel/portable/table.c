/* SPDX-License-Identifier: MIT */
/* portable/table.c - the table that every machine can run. */
#include "kernel/portable/portable.h"

const struct lp_kernels lp_portable_table = {
    .name = "portable",
    .matmul_nt = lp_portable_matmul_nt,
    .matmul_nn = lp_portable_matmul_nn,
    .matmul_tn = lp_portable_matmul_tn,
    .sum_rows = lp_portable_sum_rows,
    .layer_norm = lp_portable_layer_norm,
    .layer_norm_grad = lp_portable_layer_norm_grad,
    .rms_norm = lp_portable_rms_norm,
    .rms_norm_grad = lp_portable_rms_norm_grad,
    .add = lp_portable_add,
    .add_scaled = lp_portable_add_scaled,
    .act = lp_portable_act,
    .act_grad = lp_portable_act_grad,
    .swiglu = lp_portable_swiglu,
    .swiglu_grad = lp_portable_swiglu_grad,
    .rope = lp_portable_rope,
    .attention = lp_portable_attention,
    .attention_grad = lp_portable_attention_grad,
    .gather = lp_portable_gather,
    .scatter_add = lp_portable_scatter_add,
    .cross_entropy = lp_portable_cross_entropy,
    .cross_entropy_grad = lp_portable_cross_entropy_grad,
    .adamw = lp_portable_adamw,
    .sum_squares = lp_portable_sum_squares,
    .to_f32 = lp_portable_to_f32,
    .from_f32 = lp_portable_from_f32,
};
