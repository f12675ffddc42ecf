/* SPDX-License-Identifier: MIT */
/* vector/packed_unpack.h - codes and scales out of a panel of packed weights (struct lp_packed), a register
 * of LANES rows at a time. Needs vec and ivec.
 *
 * A block is walked in runs; a run is a few steps, each of which gives one or two registers of four
 * neighbouring codes for each row. All codes number `half` of a run are of one group. */
#ifndef LP_KERNEL_VECTOR_PACKED_UNPACK_H
#define LP_KERNEL_VECTOR_PACKED_UNPACK_H

#include "kernel/kernel.h"

enum { PARTS = LP_PANEL_ROWS / LANES, LINE = 4 * LP_PANEL_ROWS };

ALWAYS_INLINE int columns_of(enum lp_dtype type) {
    return type == LP_Q8_0 || type == LP_Q4_0 ? 32 : 256;
}
ALWAYS_INLINE int group_of(enum lp_dtype type) {
    return type == LP_Q6_K ? 16 : 32;
}
/* What is added to codes to make them unsigned. */
ALWAYS_INLINE int zero_of(enum lp_dtype type) {
    return type == LP_Q8_0 ? CODE_ZERO : type == LP_Q4_0 ? 8 : type == LP_Q6_K ? 32 : 0;
}
ALWAYS_INLINE int runs_of(enum lp_dtype type) {
    return type == LP_Q4_K ? 4 : type == LP_Q6_K ? 8 : 1;
}
ALWAYS_INLINE int steps_of(enum lp_dtype type) {
    return type == LP_Q4_0 || type == LP_Q6_K ? 4 : 8;
}
ALWAYS_INLINE int halves_of(enum lp_dtype type) {
    return type == LP_Q8_0 ? 1 : 2;
}
/* The group of a block that a half of a run belongs to. A run of q6_K is 16 bytes of a row's low bits: bit 2
 * of `run` says which half of the block, bit 1 which 16 columns of 32, bit 0 which 32 of these. */
ALWAYS_INLINE int run_group(enum lp_dtype type, int run, int half) {
    if (type == LP_Q6_K)
        return 2 * ((run >> 2) * 4 + (run & 1) + 2 * half) + (run >> 1 & 1);
    return type == LP_Q4_K ? 2 * run + half : 0;
}
/* Which four columns of the group. */
ALWAYS_INLINE int run_place(enum lp_dtype type, int step, int half) {
    return type == LP_Q4_0 ? step + 4 * half : step;
}

ALWAYS_INLINE void unpack_codes(enum lp_dtype type, ivec code[2], const uint8_t *block, int run, int step,
                                int part) {
    const uint8_t *at = block + 4 * LANES * part;
    if (type == LP_Q8_0) {
        code[0] = ivec_code(ivec_load(at + 32 + LINE * step));
    } else if (type == LP_Q6_K) {
        int w = run & 1;
        const uint8_t *lines = at + 288 + LINE * (12 * (run >> 1) + step);
        ivec high = ivec_load(lines), low = ivec_load(lines + LINE * (4 + 4 * w));
        code[0] = ivec_or(ivec_bits_right(low, 0, 15), ivec_bits_left(high, 4 - 2 * w, 0x30));
        code[1] = ivec_or(ivec_bits_right(low, 4, 15), ivec_bits_right(high, 2 * w, 0x30));
    } else {
        ivec both = ivec_load(at + (type == LP_Q4_0 ? 32 : 256) + LINE * (8 * run + step));
        code[0] = ivec_bits_right(both, 0, 15);
        code[1] = ivec_bits_right(both, 4, 15);
    }
}

/* What scales of a panel's block are made of; filled once a block. */
struct block_scales {
    const uint8_t *block;
    uint8_t scale[8 * LP_PANEL_ROWS], min[8 * LP_PANEL_ROWS]; /* q4_K's, of [group][row] */
};

ALWAYS_INLINE void load_scales(enum lp_dtype type, struct block_scales *s, const uint8_t *block) {
    s->block = block;
    if (type != LP_Q4_K)
        return;
    const uint8_t *a = block + 64, *b = a + 64, *high = b + 64;
    for (int i = 0; i < 64; i++) {
        s->scale[i] = a[i] & 63;
        s->min[i] = b[i] & 63;
        s->scale[64 + i] = (uint8_t)((high[i] & 15) | (a[i] >> 2 & 0x30));
        s->min[64 + i] = (uint8_t)(high[i] >> 4 | (b[i] >> 2 & 0x30));
    }
}

ALWAYS_INLINE vec load_halves(const uint8_t *p) {
    return vec_load_f16((const uint16_t *)(const void *)p);
}

ALWAYS_INLINE vec group_scale(enum lp_dtype type, const struct block_scales *s, int group, int part) {
    vec d = load_halves(s->block + 2 * LANES * part);
    int at = LP_PANEL_ROWS * group + LANES * part;
    if (type == LP_Q4_K)
        d *= vec_of_u8(s->scale + at);
    else if (type == LP_Q6_K)
        d *= vec_of_s8(s->block + 32 + at);
    return d;
}

/* Of q4_K only. */
ALWAYS_INLINE vec group_min(const struct block_scales *s, int group, int part) {
    return load_halves(s->block + 32 + 2 * LANES * part) *
           vec_of_u8(s->min + LP_PANEL_ROWS * group + LANES * part);
}

#endif
