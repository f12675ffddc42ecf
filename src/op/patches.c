/* SPDX-License-Identifier: MIT */
/* op/patches.c - the squares of pictures as rows, so that a convolution of stride P is one matrix product.
 * pixels [n,3,H,W] -> y [n*(H/P)*(W/P),3*P*P], channels outermost.  A row or column left over is dropped, as the
 * convolution drops it. Pixels never learn: there is no gradient. */
#include "op/op.h"

#include <string.h>

lp_tensor *lp_patches(lp_run *r, lp_tensor *pixels, int64_t P) {
    if (!lp_enter(r, "patches"))
        return NULL;
    int64_t n = lp_dim(pixels, 0), channels = lp_dim(pixels, 1), H = lp_dim(pixels, 2), W = lp_dim(pixels, 3);
    int64_t h = H / P, w = W / P;
    if (pixels->ndim != 4 || h < 1 || w < 1)
        return lp_fail(r, LP_ESHAPE, "pictures of %ld x %ld px do not cut into squares of %ld", (long)W, (long)H, (long)P);
    lp_tensor *y = lp_new(r, 2, n * h * w, channels * P * P);
    if (!y)
        return NULL;
    float *to = lp_f32(y);
    const float *from = lp_f32(pixels);
    for (int64_t i = 0; i < n; i++)
        for (int64_t row = 0; row < h; row++)
            for (int64_t column = 0; column < w; column++)
                for (int64_t c = 0; c < channels; c++)
                    for (int64_t line = 0; line < P; line++, to += P)
                        memcpy(to, from + ((i * channels + c) * H + row * P + line) * W + column * P,
                               sizeof(float) * (size_t)P);
    return y;
}
