/* SPDX-License-Identifier: MIT */
/* base/rng.c - xoshiro256**, seeded by splitmix64. */
#include "base/rng.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int k) {
    return x << k | x >> (64 - k);
}

void lp_rng_seed(struct lp_rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        rng->state[i] = z ^ z >> 31;
    }
}

uint64_t lp_rng_next(struct lp_rng *rng) {
    uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t lp_rng_below(struct lp_rng *rng, uint32_t n) {
    return (uint32_t)((lp_rng_next(rng) >> 32) * n >> 32);
}

float lp_rng_float(struct lp_rng *rng) {
    return (float)(lp_rng_next(rng) >> 40) * 0x1p-24f;
}

float lp_rng_normal(struct lp_rng *rng) {
    float u = 1.0f - lp_rng_float(rng), v = lp_rng_float(rng);
    return sqrtf(-2.0f * logf(u)) * cosf(6.28318530718f * v);
}
