/* SPDX-License-Identifier: MIT */
/* vector/math.h - exp, the Gaussian's tail, sine and cosine of registers, and partial loads. Needs vec.
 * The polynomials were fitted for the least relative error on their interval. */
#ifndef LP_KERNEL_VECTOR_MATH_H
#define LP_KERNEL_VECTOR_MATH_H

#include <stdint.h>

/* How many of the lanes that start at i lie before n. */
static inline int64_t lanes_at(int64_t i, int64_t n) {
    return n - i < LANES ? n - i : LANES;
}

static inline vec load_part(const float *p, int64_t m) {
    return m == LANES ? vec_load(p) : vec_load_n(p, m);
}

static inline void store_part(float *p, vec a, int64_t m) {
    if (m == LANES)
        vec_store(p, a);
    else
        vec_store_n(p, a, m);
}

/* e^x within 1e-7 of itself, and 0 below -87: numbers too small for a normal float cost a hundred cycles each
 * wherever they are multiplied. A NaN stays one. */
static inline vec vec_exp(vec x) {
    const vec least = vec_set(-87);
    vec asked = x;
    x = vec_min(vec_set(89), vec_max(least, x));
    vec n = vec_round(x * vec_set(1.44269504f));
    vec r = vec_fma(n, vec_set(-0.693359375f), x); /* ln 2 in two parts */
    r = vec_fma(n, vec_set(2.12194440e-4f), r);
    vec p = vec_set(0.00138368382f);
    p = vec_fma(p, r, vec_set(0.00837482242f));
    p = vec_fma(p, r, vec_set(0.0416682261f));
    p = vec_fma(p, r, vec_set(0.166664201f));
    p = vec_fma(p, r, vec_set(0.499999921f));
    p = vec_fma(p, r, vec_set(1.00000004f));
    p = vec_fma(p, r, vec_set(1));
    return vec_where_less(asked, least, vec_set(0), vec_scale2(p, n));
}

static inline vec vec_sigmoid(vec x) {
    return vec_set(1) / (vec_set(1) + vec_exp(vec_set(0) - x));
}

/* The normal distribution's integral from -infinity to x; *density is e^(-x^2/2). With z = |x|/sqrt(2) and
 * t = 1/(1 + 0.3 z): erfc(z) = e^(-z^2) t P(t), P fitted for z in 0..12. */
static inline vec vec_gauss(vec x, vec *density) {
    vec size = vec_max(x, vec_set(0) - x);
    vec t = vec_set(1) / vec_fma(size, vec_set(0.3f * 0.707106781f), vec_set(1));
    vec p = vec_set(-0.129252369f);
    p = vec_fma(p, t, vec_set(0.484297866f));
    p = vec_fma(p, t, vec_set(-0.509764948f));
    p = vec_fma(p, t, vec_set(0.544959051f));
    p = vec_fma(p, t, vec_set(-0.0928209887f));
    p = vec_fma(p, t, vec_set(0.214179427f));
    p = vec_fma(p, t, vec_set(0.148521728f));
    p = vec_fma(p, t, vec_set(0.170690867f));
    p = vec_fma(p, t, vec_set(0.169189357f));
    *density = vec_exp(x * x * vec_set(-0.5f));
    vec tail = *density * t * p * vec_set(0.5f);
    return vec_where_less(x, vec_set(0), tail, vec_set(1) - tail);
}

/* Angles up to some 10^5 radians. */
static inline void vec_sincos(vec angle, vec *sine, vec *cosine) {
    vec turn = vec_round(angle * vec_set(0.636619772f)); /* quarter turns */
    vec r = vec_fma(turn, vec_set(-1.5703125f), angle);  /* pi/2 in three parts */
    r = vec_fma(turn, vec_set(-4.83751297e-4f), r);
    r = vec_fma(turn, vec_set(-7.54978942e-8f), r);
    vec q = r * r, s = vec_set(1.0f / 362880), c = vec_set(-1.0f / 3628800);
    s = vec_fma(s, q, vec_set(-1.0f / 5040));
    s = vec_fma(s, q, vec_set(1.0f / 120));
    s = vec_fma(s, q, vec_set(-1.0f / 6));
    s = vec_fma(s * q, r, r);
    c = vec_fma(c, q, vec_set(1.0f / 40320));
    c = vec_fma(c, q, vec_set(-1.0f / 720));
    c = vec_fma(c, q, vec_set(1.0f / 24));
    c = vec_fma(c, q, vec_set(-0.5f));
    c = vec_fma(c, q, vec_set(1));
    /* turn modulo 4 is -2..2; an odd one swaps the two */
    vec m = vec_fma(vec_round(turn * vec_set(0.25f)), vec_set(-4), turn), size = vec_max(m, vec_set(0) - m);
    vec odd = vec_fma(vec_set(0) - vec_max(size - vec_set(1), vec_set(0)), vec_set(2), size); /* 0, 1, 0 */
    vec half = vec_set(0.5f), zero = vec_set(0), sine_size = vec_where_less(odd, half, s, c);
    vec cosine_size = vec_where_less(odd, half, c, s);
    /* sine is negative in quarters -2, -1 and 2, cosine in -2, 1 and 2 */
    vec minus = zero - sine_size;
    *sine = vec_where_less(m, zero - half, minus, vec_where_less(vec_set(1.5f), m, minus, sine_size));
    minus = zero - cosine_size;
    *cosine = vec_where_less(m, vec_set(-1.5f), minus, vec_where_less(half, m, minus, cosine_size));
}

#endif
