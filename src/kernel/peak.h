/* SPDX-License-Identifier: MIT */
/* peak.h - loops of nothing but multiply-adds on registers: what the calling thread can reach at most. */
#ifndef LP_KERNEL_PEAK_H
#define LP_KERNEL_PEAK_H

#include <stdint.h>

/* Each returns the operations it did (two for a multiply-add), which grow with rounds. */
struct lp_peak {
    double (*f32)(int64_t rounds);
    double (*bf16)(int64_t rounds); /* NULL without instructions for bf16 */
};

/* The loops of this machine's widest instructions. */
const struct lp_peak *lp_peak_cpu(void);

double lp_portable_peak_f32(int64_t rounds);
double lp_avx2_peak_f32(int64_t rounds);
double lp_avx512_peak_f32(int64_t rounds);
double lp_avx512_peak_bf16(int64_t rounds);
double lp_amx_peak_bf16(int64_t rounds);

#endif
