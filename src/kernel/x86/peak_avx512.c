/* SPDX-License-Identifier: MIT */
/* peak_avx512.c - the peak of float32 multiply-adds on 16 lanes. */
#include "kernel/x86/vec_avx512.h"

static inline vec multiply_add(vec w, vec x, vec sum) {
    return _mm512_fmadd_ps(w, x, sum);
}

#include "kernel/peak.h"
#include "kernel/vector/peak.h"

double lp_avx512_peak_f32(int64_t rounds) {
    return multiply_add_rounds(rounds) * 2 * LANES;
}
