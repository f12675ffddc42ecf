/* SPDX-License-Identifier: MIT */
/* base/checksum.c - eight words at a time, each to a lane of its own by steps that lose nothing. */
#include "base/checksum.h"

#include <string.h>

enum { LANES = 8 };

uint64_t lp_checksum(uint64_t before, const void *data, size_t bytes) {
    static const uint64_t odd = 0x9e3779b97f4a7c15u; /* 2^64 over the golden ratio */
    uint64_t lane[LANES] = {1, 2, 3, 4, 5, 6, 7, 8}, word[LANES], sum = before ^ bytes;
    const char *at = data;
    for (size_t left = bytes; left > 0;) {
        size_t n = left < sizeof word ? left : sizeof word;
        if (n < sizeof word)
            memset(word, 0, sizeof word);
        memcpy(word, at, n);
        for (int i = 0; i < LANES; i++) {
            uint64_t x = (lane[i] ^ word[i]) * odd;
            lane[i] = x << 29 | x >> 35;
        }
        at += n;
        left -= n;
    }
    for (int i = 0; i < LANES; i++) {
        sum = (sum ^ lane[i]) * odd;
        sum ^= sum >> 32;
    }
    return sum;
}
