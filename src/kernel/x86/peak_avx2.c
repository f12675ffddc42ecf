/* SPDX-License-Identifier: MIT */
/* peak_avx2.c - the peak of float32 multiply-adds on 8 lanes. */
#include "kernel/x86/vec_avx2.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm256_fmadd_ps(w, x, sum);
}

#include "kernel/peak.h"
#include "kernel/vector/peak.h"

double lp_avx2_peak_f32(int64_t rounds) {
    return multiply_add_rounds(rounds) * 2 * LANES;
}
