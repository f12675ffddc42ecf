/* SPDX-License-Identifier: MIT */
/* packed_avx512_vnni.c - products with packed block types in tiles of 6 x 32. */
#include "kernel/x86/ivec_avx512_vnni.h"

#include "kernel/vector/packed_x.h"

#include "kernel/vector/packed_unpack.h"

#include "kernel/vector/packed.h"

#include "kernel/x86/x86.h"

void lp_avx512_vnni_put_packed(struct lp_kernels *table) {
    table->matmul_packed = matmul_packed;
}
