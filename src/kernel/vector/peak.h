/* SPDX-License-Identifier: MIT */
/* vector/peak.h - independent chains of multiply-adds, more than two pipes of latency 6 can hold. Needs vec
 * and `vec multiply_add(vec w, vec x, vec sum)`. */
#ifndef LP_KERNEL_VECTOR_PEAK_H
#define LP_KERNEL_VECTOR_PEAK_H

enum { CHAINS = 14 };

/* The number of multiply-adds of registers. */
static inline double multiply_add_rounds(int64_t rounds) {
    vec sum[CHAINS], w = vec_set(0.5f), x = vec_set(0.25f);
    for (int i = 0; i < CHAINS; i++)
        sum[i] = vec_set((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < CHAINS; i++)
            sum[i] = multiply_add(w, x, sum[i]);
        __asm__ volatile("" : "+x"(w), "+x"(x)); /* so that no round can be left out */
    }
    for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    __asm__ volatile("" : : "x"(sum[0]));
    return (double)rounds * CHAINS;
}

#endif
