/* SPDX-License-Identifier: MIT */
/* attention_avx2.c - attention and its gradient in registers of 8 floats. */
#include "kernel/x86/vec_avx2.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm256_fmadd_ps(w, x, sum);
}

#include "kernel/vector/math.h"
#include "kernel/vector/tile.h"

#include "kernel/vector/pack.h"

#include "kernel/vector/attention.h"
#include "kernel/vector/attention_grad.h"

#include "kernel/x86/x86.h"

void lp_avx2_put_attention(struct lp_kernels *table) {
    table->attention = attention;
    table->attention_half = attention_half;
    table->attention_grad = attention_grad;
}
