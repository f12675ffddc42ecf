/* SPDX-License-Identifier: MIT */
/* portable/peak.c - multiply-adds in plain C, as fast as the compiler makes them. */
#include "kernel/peak.h"

double lp_portable_peak_f32(int64_t rounds) {
    enum { NUMBERS = 32 };
    float sum[NUMBERS];
    volatile float w = 0.5f, x = 0.25f, result;
    float total = 0, a = w, b = x;
    for (int i = 0; i < NUMBERS; i++)
        sum[i] = (float)i;
    for (int64_t r = 0; r < rounds; r++)
        for (int i = 0; i < NUMBERS; i++)
            sum[i] = sum[i] * a + b;
    for (int i = 0; i < NUMBERS; i++)
        total += sum[i];
    result = total;
    (void)result;
    return (double)rounds * NUMBERS * 2;
}
