/* SPDX-License-Identifier: MIT */
/* peak_avx512_bf16.c - the peak of VDPBF16PS: two multiply-adds of bf16 in each of 16 lanes. */
#include "kernel/x86/vec_avx512.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)x);
}

#include "kernel/peak.h"
#include "kernel/vector/peak.h"

double lp_avx512_peak_bf16(int64_t rounds) {
    return multiply_add_rounds(rounds) * 4 * LANES;
}
