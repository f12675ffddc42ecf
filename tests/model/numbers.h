/* SPDX-License-Identifier: MIT */
/* Numbers by the formula of tools/golden/{swin,grounding_dino}.py: what follows from a name is not stored. */
#ifndef LP_TESTS_MODEL_NUMBERS_H
#define LP_TESTS_MODEL_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t crc32_of(const char *text) {
    uint32_t c = 0xFFFFFFFF;
    for (; *text; text++) {
        c ^= (uint8_t)*text;
        for (int i = 0; i < 8; i++)
            c = c >> 1 ^ (c & 1 ? 0xEDB88320 : 0);
    }
    return ~c;
}

/* -1..1, the same for a name everywhere. */
static inline void numbers(float *to, const char *name, int64_t n) {
    uint32_t first = crc32_of(name);
    for (int64_t i = 0; i < n; i++) {
        uint32_t x = first + (uint32_t)i * 0x9E3779B9;
        x = (x ^ x >> 16) * 0x85EBCA6B;
        x = (x ^ x >> 13) * 0xC2B2AE35;
        x ^= x >> 16;
        to[i] = (float)(x >> 8) * 0x1p-23f - 1;
    }
}

static inline bool ends_with(const char *name, const char *end) {
    return strlen(name) >= strlen(end) && !strcmp(name + strlen(name) - strlen(end), end);
}

#endif
