/* SPDX-License-Identifier: MIT */
/* pointwise_avx2.c - everything but matrix products and attention, in registers of 8 floats. */
#include "kernel/x86/vec_avx2.h"

#include "kernel/vector/math.h"

#include "kernel/vector/deform.h"
#include "kernel/vector/norm.h"
#include "kernel/vector/pointwise.h"

#include "kernel/x86/x86.h"

void lp_avx2_put_pointwise(struct lp_kernels *table) {
    put_pointwise(table);
    put_norm(table);
    put_deform(table);
}
