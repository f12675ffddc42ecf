/* SPDX-License-Identifier: MIT */
/* portable/rope.c - rotary position embedding (Su et al. 2021) in the "rotate half" layout. x, y [T, H, D].
 * Frequencies and angles are rounded to float32 as the reference implementations round them: at position 2000
 * the difference to exact angles would otherwise be visible. */
#include "kernel/portable/portable.h"

#include <math.h>

enum { PAIRS = 64 };

static void rotate(float *y, const float *x, const float *c, const float *s, int64_t n, int64_t half,
                   bool add) {
    for (int64_t i = 0; i < n; i++) {
        float a = x[i], b = x[half + i];
        float ya = a * c[i] - b * s[i], yb = b * c[i] + a * s[i];
        y[i] = add ? y[i] + ya : ya;
        y[half + i] = add ? y[half + i] + yb : yb;
    }
}

void lp_portable_rope(float *y, const float *x, const int32_t *position, int64_t T, int64_t H, int64_t D,
                      float theta, float sign, bool add) {
    int64_t half = D / 2;
    for (int64_t i0 = 0; i0 < half; i0 += PAIRS) {
        int64_t n = half - i0 < PAIRS ? half - i0 : PAIRS;
        float frequency[PAIRS];
        for (int64_t i = 0; i < n; i++)
            frequency[i] = 1 / powf(theta, (float)(2 * (i0 + i)) / (float)D);
#pragma omp parallel for if (T * n * (H + 16) >= LP_PARALLEL_WORK)
        for (int64_t t = 0; t < T; t++) {
            float c[PAIRS], s[PAIRS];
            for (int64_t i = 0; i < n; i++) {
                float angle = (float)position[t] * frequency[i];
                c[i] = cosf(angle);
                s[i] = sign * sinf(angle);
            }
            for (int64_t h = 0; h < H; h++)
                rotate(y + (t * H + h) * D + i0, x + (t * H + h) * D + i0, c, s, n, half, add);
        }
    }
}
