/* SPDX-License-Identifier: MIT */
/* x86.h - what the files of this folder put into a table; call only where CPUID allows. */
#ifndef LP_KERNEL_X86_X86_H
#define LP_KERNEL_X86_X86_H

#include "kernel/kernel.h"

void lp_avx2_put_matmul(struct lp_kernels *table);
void lp_avx2_put_attention(struct lp_kernels *table);
void lp_avx2_put_pointwise(struct lp_kernels *table);
void lp_avx2_put_packed(struct lp_kernels *table);
void lp_avx512_put_matmul(struct lp_kernels *table);
void lp_avx512_put_attention(struct lp_kernels *table);
void lp_avx512_put_pointwise(struct lp_kernels *table);
void lp_avx512_vnni_put_packed(struct lp_kernels *table);
void lp_avx512_bf16_put_matmul(struct lp_kernels *table);    /* after lp_avx512_put_matmul */
void lp_avx512_bf16_put_attention(struct lp_kernels *table); /* after lp_avx512_put_attention */
void lp_amx_put_matmul(struct lp_kernels *table);            /* the same */
void lp_amx_put_attention(struct lp_kernels *table);         /* the same */
void lp_amx_put_packed(struct lp_kernels *table);            /* after lp_avx512_vnni_put_packed */

#endif
