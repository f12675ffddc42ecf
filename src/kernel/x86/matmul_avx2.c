/* SPDX-License-Identifier: MIT */
/* matmul_avx2.c - the float32 matrix products in tiles of 6 x 16. */
#include "kernel/x86/vec_avx2.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm256_fmadd_ps(w, x, sum);
}

#include "kernel/vector/tile.h"

#include "kernel/vector/pack.h"
#include "kernel/vector/rows.h"

#include "kernel/vector/matmul.h"
#include "kernel/vector/packed_half.h"

#include "kernel/x86/x86.h"

void lp_avx2_put_matmul(struct lp_kernels *table) {
    table->matmul_nt = table->matmul_rough = matmul_nt;
    table->matmul_packed_half = matmul_packed_half;
    table->matmul_nn = table->matmul_nn_rough = matmul_nn;
    table->matmul_tn = table->matmul_tn_rough = matmul_tn;
}
