/* SPDX-License-Identifier: MIT */
/* portable/block.c - reads GGML's blocks. The formats are those of the GGUF specification; f16 is IEEE
 * binary16, byte order little-endian.
 *
 * q8_0: 32 numbers d * q. f16 d, int8 q[32].
 *
 * q4_0: 32 numbers d * (q - 8). f16 d, byte[16]: low halves first, then high ones.
 *
 * q4_K: 256 numbers d * scale[32] * q - dmin * min[32]. f16 d, f16 dmin, byte[12] of 6-bit scales and mins,
 * byte[128]: of each 32 bytes the low halves, then the high ones.
 *
 * q6_K: 256 numbers d * scale[16] * (q - 32). byte[128] low 4 bits, byte[64] high 2 bits, int8 scale[16],
 * f16 d. A packed panel has the high bits beside the low bits that they belong to, so that a product reads it
 * from end to end: three places at once are read at a third of the rate. */
#include "kernel/portable/block.h"

#include <stddef.h>

static const struct lp_block_format formats[LP_DTYPES] = {
    [LP_Q8_0] = {32, 34, 32, {{0, 2, 2}, {2, 32, 4}}},
    [LP_Q4_0] = {32, 18, 32, {{0, 2, 2}, {2, 16, 4}}},
    [LP_Q4_K] = {256, 144, 32, {{0, 2, 2}, {2, 2, 2}, {4, 12, 1}, {16, 128, 4}}},
    [LP_Q6_K] = {256,
                 210,
                 16,
                 {{208, 2, 2},
                  {192, 16, 1},
                  {128, 16, 4},
                  {0, 16, 4},
                  {32, 16, 4}, /* high bits, low bits, low bits */
                  {144, 16, 4},
                  {16, 16, 4},
                  {48, 16, 4},
                  {160, 16, 4},
                  {64, 16, 4},
                  {96, 16, 4},
                  {176, 16, 4},
                  {80, 16, 4},
                  {112, 16, 4}}},
};

const struct lp_block_format *lp_block_format(enum lp_dtype type) {
    return formats[type].columns ? &formats[type] : NULL;
}

static float half_at(const uint8_t *p) {
    uint16_t h;
    memcpy(&h, p, sizeof h);
    return lp_f16_to_f32(h);
}

static void split_q8_0(struct lp_block *b, const uint8_t *p) {
    b->scale[0] = half_at(p);
    memcpy(b->code, p + 2, 32);
}

static void split_q4_0(struct lp_block *b, const uint8_t *p) {
    b->scale[0] = half_at(p);
    for (int i = 0; i < 16; i++) {
        b->code[i] = (int8_t)((p[2 + i] & 15) - 8);
        b->code[16 + i] = (int8_t)((p[2 + i] >> 4) - 8);
    }
}

static void split_q4_k(struct lp_block *b, const uint8_t *p) {
    float d = half_at(p), least = half_at(p + 2);
    const uint8_t *s = p + 4, *m = p + 8, *high = p + 12, *q = p + 16;
    for (int i = 0; i < 4; i++) {
        b->scale[i] = d * (float)(s[i] & 63);
        b->min[i] = least * (float)(m[i] & 63);
        b->scale[4 + i] = d * (float)((high[i] & 15) | (s[i] >> 2 & 0x30));
        b->min[4 + i] = least * (float)(high[i] >> 4 | (m[i] >> 2 & 0x30));
    }
    for (int i = 0; i < 128; i++) {
        int at = i / 32 * 64 + i % 32;
        b->code[at] = (int8_t)(q[i] & 15);
        b->code[at + 32] = (int8_t)(q[i] >> 4);
    }
}

static void split_q6_k(struct lp_block *b, const uint8_t *p) {
    const uint8_t *low = p, *high = p + 128;
    float d = half_at(p + 208);
    for (int i = 0; i < 16; i++)
        b->scale[i] = d * (float)(int8_t)p[192 + i];
    for (int i = 0; i < 64; i++) {
        const uint8_t *l = low + i / 32 * 64 + i % 32;
        int8_t *code = b->code + i / 32 * 128 + i % 32;
        code[0] = (int8_t)(((l[0] & 15) | (high[i] & 3) << 4) - 32);
        code[32] = (int8_t)(((l[32] & 15) | (high[i] >> 2 & 3) << 4) - 32);
        code[64] = (int8_t)((l[0] >> 4 | (high[i] >> 4 & 3) << 4) - 32);
        code[96] = (int8_t)((l[32] >> 4 | high[i] >> 6 << 4) - 32);
    }
}

void lp_block_split(struct lp_block *b, const uint8_t *block, enum lp_dtype type) {
    if (type != LP_Q4_K)
        memset(b->min, 0, sizeof b->min);
    switch (type) {
    case LP_Q8_0:
        split_q8_0(b, block);
        break;
    case LP_Q4_0:
        split_q4_0(b, block);
        break;
    case LP_Q4_K:
        split_q4_k(b, block);
        break;
    default:
        split_q6_k(b, block);
        break;
    }
}

void lp_dequantize(float *restrict y, const void *x, enum lp_dtype type, int64_t n) {
    const struct lp_block_format *f = lp_block_format(type);
    const uint8_t *block = x;
    for (int64_t at = 0; at < n; at += f->columns, block += f->bytes) {
        struct lp_block b;
        lp_block_split(&b, block, type);
        for (int i = 0; i < f->columns; i += f->group) {
            float scale = b.scale[i / f->group], min = b.min[i / f->group];
            for (int j = 0; j < f->group; j++)
                y[at + i + j] = scale * (float)b.code[i + j] - min;
        }
    }
}
