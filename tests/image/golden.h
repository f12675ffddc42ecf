/* SPDX-License-Identifier: MIT */
/* The pictures and masks of tools/golden/image.py, and CRC-32. */
#ifndef LP_TEST_IMAGE_GOLDEN_H
#define LP_TEST_IMAGE_GOLDEN_H

#include "image/image.h"

#include <stdlib.h>

static inline uint8_t golden_noise(uint32_t seed, uint32_t i) {
    uint32_t x = i + seed * 0x9e3779b9u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return (uint8_t)x;
}

static inline struct lp_image *golden_picture(int seed, int w, int h) {
    struct lp_image *image = lp_image_new(w, h, NULL);
    for (int y = 0; image && y < h; y++) {
        for (int x = 0; x < w; x++) {
            uint8_t *p = image->pixel + 3 * ((size_t)y * w + x);
            p[0] = (uint8_t)(x * 3 + y);
            p[1] = (uint8_t)(x + y * 2 + seed);
            p[2] = (uint8_t)(x * y / 64);
            for (uint32_t c = 0; seed % 2 == 0 && c < 3; c++)
                p[c] = golden_noise((uint32_t)seed, 3 * (uint32_t)(y * w + x) + c);
        }
    }
    return image;
}

static inline uint8_t *golden_mask(int kind, int seed, int w, int h) {
    uint8_t *mask = calloc((size_t)w, (size_t)h);
    int less = w < h ? w : h;
    for (int y = 0; mask && y < h; y++) {
        for (int x = 0; x < w; x++) {
            int dx = 3 * x - w, dy = 3 * y - h;
            bool in[] = {false,
                         true,
                         golden_noise((uint32_t)seed, (uint32_t)(y * w + x)) < 96,
                         dx * dx + dy * dy < less * less,
                         x / 3 % 2 == 1,
                         y / 5 % 2 == 1};
            mask[(size_t)y * w + x] = in[kind];
        }
    }
    return mask;
}

static inline uint32_t golden_crc(const void *bytes, size_t n) {
    uint32_t table[256], crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    for (size_t i = 0; i < n; i++)
        crc = table[(crc ^ ((const uint8_t *)bytes)[i]) & 255] ^ crc >> 8;
    return ~crc;
}

#endif
