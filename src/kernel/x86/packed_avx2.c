/* SPDX-License-Identifier: MIT */
/* packed_avx2.c - products with packed block types in tiles of 4 x 16. */
#include "kernel/x86/ivec_avx2.h"

#include "kernel/vector/packed_x.h"

#include "kernel/vector/packed_unpack.h"

#include "kernel/vector/packed.h"

#include "kernel/x86/x86.h"

void lp_avx2_put_packed(struct lp_kernels *table) {
    table->matmul_packed = matmul_packed;
}
