/* SPDX-License-Identifier: MIT */
/* lp_resize against Pillow, bit for bit (golden/resize.txt, made by tools/golden/image.py). */
#include "image/golden.h"
#include "image/resize.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void equals_pillow(void **state) {
    (void)state;
    FILE *f = fopen(LP_TESTS_DIR "/image/golden/resize.txt", "r");
    assert_non_null(f);
    int seed, w, h, W, H, filter, cases = 0, wrong = 0;
    unsigned crc;
    while (fscanf(f, "%d %d %d %d %d %d %x", &seed, &w, &h, &W, &H, &filter, &crc) == 7) {
        struct lp_image *in = golden_picture(seed, w, h);
        struct lp_image *out = lp_resize(in, W, H, (enum lp_filter)filter, NULL);
        assert_non_null(out);
        if (golden_crc(out->pixel, (size_t)W * H * 3) != crc) {
            print_error("%d x %d -> %d x %d, filter %d differs from Pillow\n", w, h, W, H, filter);
            wrong++;
        }
        lp_image_close(out);
        lp_image_close(in);
        cases++;
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(cases > 300);
}

/* A part equals that part of the whole, canvas included. */
static void part_of_whole(void **state) {
    (void)state;
    struct lp_image *in = golden_picture(2, 60, 41), *canvas = lp_image_new(70, 50, NULL);
    for (size_t i = 0; i < 70 * 50 * 3; i++)
        canvas->pixel[i] = (uint8_t)(10 + i % 3);
    for (size_t y = 0; y < 41; y++)
        memcpy(canvas->pixel + 3 * ((y + 4) * 70 + 5), in->pixel + y * 60 * 3, 60 * 3);
    const int sizes[][2] = {{31, 22}, {140, 133}, {70, 50}, {9, 99}};
    for (size_t s = 0; s < 4; s++) {
        struct lp_resize_part p = {70, 50, 5, 4, {10, 11, 12}, sizes[s][0], sizes[s][1], 2, 3, 7, 11};
        struct lp_image *part = lp_resize_part(in, &p, LP_BICUBIC, NULL);
        struct lp_image *whole = lp_resize(canvas, sizes[s][0], sizes[s][1], LP_BICUBIC, NULL);
        for (size_t y = 0; y < 11; y++)
            assert_memory_equal(part->pixel + y * 7 * 3,
                                whole->pixel + 3 * ((y + 3) * (size_t)whole->width + 2), 7 * 3);
        lp_image_close(part);
        lp_image_close(whole);
    }
    lp_image_close(canvas);
    lp_image_close(in);
}

/* More taps than a 32-bit sum of full products could hold. */
static void long_row(void **state) {
    (void)state;
    struct lp_image *in = lp_image_new(3000000, 1, NULL);
    memset(in->pixel, 255, 9000000);
    struct lp_image *out = lp_resize(in, 3, 1, LP_LANCZOS, NULL);
    assert_non_null(out);
    lp_image_close(out);
    lp_image_close(in);
}

static void refuses(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_image *in = lp_image_new(1, 300000, NULL);
    assert_null(lp_resize(in, 0, 5, LP_BICUBIC, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    assert_null(lp_resize(in, 5, -1, LP_BICUBIC, &err));
    assert_null(lp_resize(in, 100000, 100000, LP_BICUBIC, &err));
    assert_null(lp_resize(in, 1000, 1, LP_BICUBIC, &err));
    assert_int_equal(err.code, LP_EMEMORY);
    assert_string_equal(err.text, "a picture of 1 x 300000 pixels is too long and thin to be resized");
    lp_image_close(in);
}

static void memory_runs_out(void **state) {
    (void)state;
    struct lp_image *in = golden_picture(1, 40, 30), *out = NULL;
    int n = 0;
    while (!out) {
        struct lp_error err = {0};
        assert_true(++n < 100);
        lp_test_fail_alloc(n);
        out = lp_resize(in, 20, 50, LP_BILINEAR, &err);
        lp_test_fail_alloc(0);
        assert_int_equal(err.code, out ? LP_OK : LP_EMEMORY);
    }
    assert_true(n > 8);
    lp_image_close(out);
    lp_image_close(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_pillow), cmocka_unit_test(part_of_whole),
                                       cmocka_unit_test(long_row), cmocka_unit_test(refuses),
                                       cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
