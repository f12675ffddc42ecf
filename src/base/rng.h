/* SPDX-License-Identifier: MIT */
/* Random numbers: same seed, same numbers, on every machine. xoshiro256** (Blackman, Vigna 2018). */
#ifndef LP_BASE_RNG_H
#define LP_BASE_RNG_H

#include <stdint.h>

struct lp_rng {
    uint64_t state[4];
};

void lp_rng_seed(struct lp_rng *rng, uint64_t seed);
uint64_t lp_rng_next(struct lp_rng *rng);              /* 64 random bits */
uint32_t lp_rng_below(struct lp_rng *rng, uint32_t n); /* 0..n-1, n >= 1 */
float lp_rng_float(struct lp_rng *rng);                /* 0 <= x < 1 */
float lp_rng_normal(struct lp_rng *rng);               /* mean 0, deviation 1 */

#endif
