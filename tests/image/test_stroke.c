/* SPDX-License-Identifier: MIT */
/* Strokes as masks, against the distance of every pixel's centre from the stroke. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "image/stroke.h"

#include <math.h>
#include <string.h>

enum { W = 61, H = 37 };

static float distance(const float a[2], const float b[2], float x, float y) {
    float dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
    float t = length > 0 ? ((x - a[0]) * dx + (y - a[1]) * dy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypotf(x - a[0] - t * dx, y - a[1] - t * dy);
}

static void a_brush_covers_what_is_near(void **state) {
    (void)state;
    static uint8_t mask[H * W];
    struct lp_rng rng;
    lp_rng_seed(&rng, 3);
    for (int round = 0; round < 200; round++) {
        float xy[3][2], radius = 6 * lp_rng_float(&rng);
        int n = 1 + (int)lp_rng_below(&rng, 3), differ = 0;
        for (int i = 0; i < n; i++) { /* also beyond the picture, and level or upright */
            xy[i][0] = W * (1.4f * lp_rng_float(&rng) - 0.2f);
            xy[i][1] = H * (1.4f * lp_rng_float(&rng) - 0.2f);
        }
        if (round % 3 && n > 1)
            xy[1][round % 3 - 1] = xy[0][round % 3 - 1];
        memset(mask, 0, sizeof mask);
        lp_stroke_fill(mask, W, H, (const float(*)[2])xy, n, radius);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float near = 1e9f;
                for (int i = 0; i < n; i++)
                    near = fminf(near, distance(xy[i], xy[i + 1 < n ? i + 1 : i], (float)x + 0.5f, (float)y + 0.5f));
                bool corner = false;
                for (int i = 0; i < n; i++)
                    corner = corner || ((int)xy[i][0] == x && (int)xy[i][1] == y);
                if (!corner && fabsf(near - radius) > 1e-3f)
                    differ += mask[y * W + x] != (near < radius);
            }
        assert_int_equal(differ, 0);
    }
}

static void the_least_brush_is_a_pixel(void **state) {
    (void)state;
    static uint8_t mask[H * W];
    static const float corners[][2] = {{0, 0}, {W, H}, {W, 0}, {30.5f, 20}};
    float box[4];
    for (int i = 0; i < 4; i++) {
        memset(mask, 0, sizeof mask);
        assert_false(lp_mask_box(mask, W, H, box));
        lp_stroke_fill(mask, W, H, &corners[i], 1, 0);
        assert_true(lp_mask_box(mask, W, H, box));
        assert_float_equal(box[2] - box[0], 1.0f / W, 1e-6);
        assert_float_equal(box[3] - box[1], 1.0f / H, 1e-6);
    }
    assert_float_equal(box[0], 30.0f / W, 1e-6);
    assert_float_equal(box[1], 20.0f / H, 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_brush_covers_what_is_near),
        cmocka_unit_test(the_least_brush_is_a_pixel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
