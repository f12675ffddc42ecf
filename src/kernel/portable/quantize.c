/* SPDX-License-Identifier: MIT */
/* portable/quantize.c - float32 rows to GGML's blocks (their layout: block.c).
 * q8_0 and q4_0 take their scale from the number farthest from zero, bit for bit as GGML does. q4_K and q6_K
 * search it: for several roundings of a group the scale (and min) of least weighted squares is computed, and
 * the best is kept; of the whole numbers near its scale (and min), those that fit best are stored. Weights
 * favour large numbers. A block with an infinity or a NaN becomes NaN. */
#include "kernel/portable/block.h"

enum { K_BLOCK = 256, Q4_GROUP = 32, Q4_GROUPS = 8, Q6_GROUP = 16, Q6_GROUPS = 16 };
static const float tiny = 1e-30f, half_most = 65504;

static int clamp(int a, int low, int high) {
    return a < low ? low : a > high ? high : a;
}

/* The integer low..high nearest to f. */
static int nearest(float f, int low, int high) {
    return lp_round_even(f > (float)low ? f < (float)high ? f : (float)high : (float)low);
}

/* Stores f as binary16 and returns what it became. */
static float put_half(uint8_t *p, float f) {
    uint16_t h = lp_f32_to_f16(f > half_most ? half_most : f < -half_most ? -half_most : f);
    memcpy(p, &h, sizeof h);
    return lp_f16_to_f32(h);
}

/* The number farthest from zero, the first of equals; NaN where one is not finite. */
static float farthest(const float *x, int n) {
    float far = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return NAN;
        if (fabsf(x[i]) > fabsf(far))
            far = x[i];
    }
    return far;
}

static void quantize_q8_0(uint8_t *p, const float *x, float far) {
    float d = fabsf(far) / 127, inverse = 1 / d;
    put_half(p, d);
    for (int i = 0; i < 32; i++)
        p[2 + i] = (uint8_t)(int8_t)roundf(x[i] * inverse);
}

static void quantize_q4_0(uint8_t *p, const float *x, float far) {
    float d = far / -8, inverse = 1 / d;
    put_half(p, d);
    for (int i = 0; i < 16; i++) {
        int low = (int)(x[i] * inverse + 8.5f), high = (int)(x[16 + i] * inverse + 8.5f);
        p[2 + i] = (uint8_t)(clamp(low, 0, 15) | clamp(high, 0, 15) << 4);
    }
}

/* A group as scale * q - min. */
struct fit {
    float scale, min;
};

/* Codes 0..15 of a group; x is about scale * q - min. */
static void round_q4(uint8_t *q, const float *x, float inverse, float min) {
    for (int i = 0; i < Q4_GROUP; i++)
        q[i] = (uint8_t)nearest((x[i] + min) * inverse, 0, 15);
}

/* Scale and min >= 0 of least weighted squares for codes q. */
static struct fit solve_q4(const float *x, const float *w, const uint8_t *q) {
    float sw = 0, swq = 0, swqq = 0, swx = 0, swxq = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
        float c = q[i];
        sw += w[i];
        swq += w[i] * c;
        swqq += w[i] * c * c;
        swx += w[i] * x[i];
        swxq += w[i] * x[i] * c;
    }
    float determinant = sw * swqq - swq * swq;
    struct fit f = {0, 0};
    if (determinant > 0)
        f = (struct fit){(sw * swxq - swq * swx) / determinant, -(swqq * swx - swq * swxq) / determinant};
    if (f.min <= 0)
        f = (struct fit){swqq > 0 ? swxq / swqq : 0, 0};
    return f;
}

static float error_q4(const float *x, const float *w, const uint8_t *q, struct fit f) {
    float sum = 0;
    for (int i = 0; i < Q4_GROUP; i++) {
        float d = f.scale * (float)q[i] - f.min - x[i];
        sum += w[i] * d * d;
    }
    return sum;
}

static void weights_q4(float *w, const float *x) {
    float squares = 0;
    for (int i = 0; i < Q4_GROUP; i++)
        squares += x[i] * x[i];
    for (int i = 0; i < Q4_GROUP; i++)
        w[i] = sqrtf(squares / Q4_GROUP) + fabsf(x[i]);
}

static struct fit search_q4(const float *x, const float *w) {
    enum { TRIES = 21 };
    float low = 0, high = x[0];
    for (int i = 0; i < Q4_GROUP; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    struct fit best = {0, -low};
    if (high - low < tiny)
        return best;
    float least = INFINITY;
    for (int t = 0; t < TRIES; t++) {
        uint8_t q[Q4_GROUP];
        round_q4(q, x, (14 + 0.1f * (float)t) / (high - low), -low);
        struct fit f = solve_q4(x, w, q);
        float error = error_q4(x, w, q, f);
        if (f.scale > 0 && error < least) {
            least = error;
            best = f;
        }
    }
    return best;
}

/* Moves scale and min (0..63, of `unit`) by up to one to where the group fits best; q becomes its codes. */
static void settle_q4(int *scale, int *min, uint8_t *q, const float *x, const float *w, struct fit unit) {
    float least = INFINITY;
    int near_scale = *scale, near_min = *min;
    for (int s = near_scale > 0 ? near_scale - 1 : 0; s <= near_scale + 1 && s < 64; s++)
        for (int m = near_min > 0 ? near_min - 1 : 0; m <= near_min + 1 && m < 64; m++) {
            uint8_t code[Q4_GROUP] = {0};
            struct fit f = {unit.scale * (float)s, unit.min * (float)m};
            if (f.scale > 0)
                round_q4(code, x, 1 / f.scale, f.min);
            float error = error_q4(x, w, code, f);
            if (error < least) {
                least = error;
                *scale = s;
                *min = m;
                memcpy(q, code, sizeof code);
            }
        }
}

/* The 6-bit scales and mins of 8 groups in 12 bytes. */
static void put_scales_q4(uint8_t *p, const int *scale, const int *min) {
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(scale[i] | scale[4 + i] >> 4 << 6);
        p[4 + i] = (uint8_t)(min[i] | min[4 + i] >> 4 << 6);
        p[8 + i] = (uint8_t)((scale[4 + i] & 15) | (min[4 + i] & 15) << 4);
    }
}

/* x is divided by `far`'s magnitude first, so that no sum of squares leaves float32's range. */
static void quantize_q4_k(uint8_t *p, const float *x, float far) {
    float unit[K_BLOCK], w[K_BLOCK], size = fabsf(far), scale_most = 0, min_most = 0;
    struct fit fit[Q4_GROUPS], whole;
    int scale[Q4_GROUPS], min[Q4_GROUPS];
    for (int i = 0; i < K_BLOCK; i++)
        unit[i] = x[i] / size;
    for (int g = 0; g < Q4_GROUPS; g++) {
        weights_q4(w + g * Q4_GROUP, unit + g * Q4_GROUP);
        fit[g] = search_q4(unit + g * Q4_GROUP, w + g * Q4_GROUP);
        scale_most = fit[g].scale > scale_most ? fit[g].scale : scale_most;
        min_most = fit[g].min > min_most ? fit[g].min : min_most;
    }
    whole.scale = put_half(p, scale_most / 63 * size) / size;
    whole.min = put_half(p + 2, min_most / 63 * size) / size;
    for (int g = 0; g < Q4_GROUPS; g++) {
        uint8_t q[Q4_GROUP] = {0}, *out = p + 16 + g / 2 * 32;
        scale[g] = scale_most > 0 ? nearest(fit[g].scale * (63 / scale_most), 0, 63) : 0;
        min[g] = min_most > 0 ? nearest(fit[g].min * (63 / min_most), 0, 63) : 0;
        settle_q4(&scale[g], &min[g], q, unit + g * Q4_GROUP, w + g * Q4_GROUP, whole);
        for (int i = 0; i < Q4_GROUP; i++)
            out[i] = (uint8_t)(g % 2 ? out[i] | q[i] << 4 : q[i]);
    }
    put_scales_q4(p + 4, scale, min);
}

static void round_q6(int8_t *q, const float *x, float inverse) {
    for (int i = 0; i < Q6_GROUP; i++)
        q[i] = (int8_t)nearest(x[i] * inverse, -32, 31);
}

/* The scale of a group; the weight of a number is its square. */
static float search_q6(const float *x) {
    enum { TRIES = 19 };
    float far = farthest(x, Q6_GROUP), best = 0, most = 0;
    if (fabsf(far) < tiny)
        return 0;
    for (int t = 0; t < TRIES; t++) {
        int8_t q[Q6_GROUP];
        float swxq = 0, swqq = 0;
        round_q6(q, x, -(31.1f + 0.1f * (float)t) / far);
        for (int i = 0; i < Q6_GROUP; i++) {
            float c = q[i], w = x[i] * x[i];
            swxq += w * x[i] * c;
            swqq += w * c * c;
        }
        if (swqq > 0 && swxq * swxq > most * swqq) {
            most = swxq * swxq / swqq;
            best = swxq / swqq;
        }
    }
    return best;
}

/* Moves scale (-128..127, of `unit`) by up to one to where the group fits best; q becomes its codes. */
static int settle_q6(int scale, int8_t *q, const float *x, float unit) {
    float least = INFINITY;
    int best = scale;
    for (int s = scale > -128 ? scale - 1 : scale; s <= scale + 1 && s < 128; s++) {
        int8_t code[Q6_GROUP] = {0};
        float step = unit * (float)s, error = 0;
        if (step != 0)
            round_q6(code, x, 1 / step);
        for (int i = 0; i < Q6_GROUP; i++) {
            float d = step * (float)code[i] - x[i];
            error += fabsf(x[i]) * d * d;
        }
        if (error < least) {
            least = error;
            best = s;
            memcpy(q, code, sizeof code);
        }
    }
    return best;
}

static void put_codes_q6(uint8_t *p, const int8_t *code) {
    for (int i = 0; i < 64; i++) {
        const int8_t *c = code + i / 32 * 128 + i % 32;
        int a = c[0] + 32, b = c[32] + 32, e = c[64] + 32, f = c[96] + 32;
        uint8_t *low = p + i / 32 * 64 + i % 32;
        low[0] = (uint8_t)((a & 15) | (e & 15) << 4);
        low[32] = (uint8_t)((b & 15) | (f & 15) << 4);
        p[128 + i] = (uint8_t)(a >> 4 | b >> 4 << 2 | e >> 4 << 4 | f >> 4 << 6);
    }
}

static void quantize_q6_k(uint8_t *p, const float *x, float far) {
    float unit[K_BLOCK], scale[Q6_GROUPS], size = fabsf(far);
    int8_t code[K_BLOCK] = {0};
    for (int i = 0; i < K_BLOCK; i++)
        unit[i] = x[i] / size;
    for (int g = 0; g < Q6_GROUPS; g++)
        scale[g] = search_q6(unit + g * Q6_GROUP);
    float widest = farthest(scale, Q6_GROUPS), d = put_half(p + 208, widest / -128 * size) / size;
    for (int g = 0; g < Q6_GROUPS; g++) {
        int whole = widest != 0 ? nearest(scale[g] * (-128 / widest), -128, 127) : 0;
        whole = settle_q6(whole, code + g * Q6_GROUP, unit + g * Q6_GROUP, d);
        p[192 + g] = (uint8_t)(int8_t)whole;
    }
    put_codes_q6(p, code);
}

/* A block of zeros or, by its scale, of NaN. */
static void put_plain(uint8_t *p, const struct lp_block_format *f, enum lp_dtype type, float value) {
    memset(p, 0, (size_t)f->bytes);
    put_half(p + f->field[0].at, value);
    if (type == LP_Q4_0)
        memset(p + 2, 0x88, 16);
}

void lp_quantize(void *y, const float *x, enum lp_dtype type, int64_t n) {
    static void (*const quantize[LP_DTYPES])(uint8_t *, const float *, float) = {[LP_Q8_0] = quantize_q8_0,
                                                                                 [LP_Q4_0] = quantize_q4_0,
                                                                                 [LP_Q4_K] = quantize_q4_k,
                                                                                 [LP_Q6_K] = quantize_q6_k};
    const struct lp_block_format *f = lp_block_format(type);
    uint8_t *block = y;
    for (; n > 0; n -= f->columns, x += f->columns, block += f->bytes) {
        float far = farthest(x, f->columns);
        if (fabsf(far) >= tiny)
            quantize[type](block, x, far);
        else
            put_plain(block, f, type, isnan(far) || type == LP_Q4_0 ? far / -8 : 0);
    }
}
