/* SPDX-License-Identifier: MIT */
/* Boxes, labels, masks and points land where they should, and only there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/draw.h"
#include "image/golden.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static struct lp_image *grey(int w, int h) {
    struct lp_image *image = lp_image_new(w, h, NULL);
    memset(image->pixel, 128, (size_t)w * h * 3);
    return image;
}

static const uint8_t *at(const struct lp_image *image, int x, int y) {
    return image->pixel + 3 * ((size_t)y * image->width + x);
}

static bool is_grey(const struct lp_image *image, int x, int y) {
    return memcmp(at(image, x, y), "\x80\x80\x80", 3) == 0;
}

/* Pixels of a rectangle that are not the grey they were. */
static int count_changed(const struct lp_image *image, int x0, int y0, int x1, int y1) {
    int n = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            n += !is_grey(image, x, y);
    return n;
}

static void colors_differ(void **state) {
    (void)state;
    uint8_t a[3], b[3];
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < i; j++) {
            lp_draw_color(i, a);
            lp_draw_color(j, b);
            assert_true(abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]) > 60);
        }
    lp_draw_color(0, a);
    lp_draw_color(12, b);
    assert_memory_equal(a, b, 3);
    lp_draw_color(-12, b);
    assert_memory_equal(a, b, 3);
    lp_draw_color(INT32_MIN, b);
}

static void box_outline(void **state) {
    (void)state;
    struct lp_image *image = grey(640, 480);
    struct lp_draw_box box = {400, 300, 100, 200, NULL, 1}; /* corners in any order */
    uint8_t color[3];
    lp_draw_color(1, color);
    assert_true(lp_draw_boxes(image, &box, 1, NULL));
    const int on[][2] = {{100, 250}, {399, 250}, {250, 200}, {250, 299}};
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(at(image, on[i][0], on[i][1]), color, 3);
    assert_int_equal(count_changed(image, 110, 210, 390, 290), 0);
    assert_int_equal(count_changed(image, 0, 0, 640, 190), 0);
    assert_int_equal(count_changed(image, 0, 0, 90, 480), 0);
    assert_int_equal(count_changed(image, 410, 0, 640, 480), 0);
    lp_image_close(image);
}

static void labels(void **state) {
    (void)state;
    const char *texts[] = {"dog 0.97", "<b>&amp;</i>", "\xff\xfe broken \xe4", "\xe7\x8c\xab",
                           "tab\tand\nline"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lp_image *image = grey(640, 480);
        struct lp_draw_box box = {100, 200, 400, 300, texts[i], 0};
        struct lp_error err = {0};
        assert_true(lp_draw_boxes(image, &box, 1, &err));
        assert_string_equal(err.text, "");
        assert_true(count_changed(image, 100, 178, 640, 196) > 150); /* above the box */
        int light = 0;
        for (int y = 178; y < 198; y++)
            for (int x = 100; x < 300; x++)
                light += at(image, x, y)[1] > 220; /* the writing is white on red */
        assert_true(light > 10);
        assert_int_equal(count_changed(image, 110, 210, 390, 290), 0);
        lp_image_close(image);
    }
}

/* A label has to stay in the picture, and off another one where there is room. */
static void label_places(void **state) {
    (void)state;
    struct lp_image *image = grey(640, 480), *blank = grey(640, 480);
    struct lp_draw_box top = {300, 2, 500, 90, "top", 0}, blanks = {300, 2, 500, 90, " \n", 0};
    assert_true(lp_draw_boxes(image, &top, 1, NULL));
    assert_true(lp_draw_boxes(blank, &blanks, 1, NULL));
    assert_int_equal(count_changed(image, 310, 10, 490, 80), 0); /* nothing inside: it fits below */
    assert_true(count_changed(image, 300, 95, 400, 110) > 300);
    assert_int_equal(count_changed(blank, 300, 95, 400, 110), 0);
    lp_image_close(image);
    image = grey(640, 480);
    struct lp_draw_box two[] = {{100, 100, 300, 200, "first", 0}, {100, 100, 300, 200, "second", 1}};
    assert_true(lp_draw_boxes(image, two, 2, NULL));
    assert_true(count_changed(image, 100, 78, 160, 97) > 400);
    assert_true(count_changed(image, 100, 204, 160, 220) > 400);
    lp_image_close(image);
    lp_image_close(blank);
}

/* Nothing outside is touched, whatever the numbers; run under ASan. */
static void wild_boxes(void **state) {
    (void)state;
    const float wild[] = {0, -1e30f, 1e30f, INFINITY, -INFINITY, NAN, 3.5f, 1e9f};
    const int sizes[][2] = {{1, 1}, {7, 3}, {200, 1}, {1, 200}, {60, 40}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct lp_image *image = grey(sizes[s][0], sizes[s][1]);
        for (size_t i = 0; i < 8 * 8; i++) {
            struct lp_draw_box box = {wild[i % 8],
                                      wild[i / 8],
                                      wild[(i + 3) % 8],
                                      wild[(i / 8 + 5) % 8],
                                      i % 9 ? NULL : "a label longer than the picture is wide, by far",
                                      (int)i};
            assert_true(lp_draw_boxes(image, &box, 1, NULL));
            lp_draw_point(image, wild[i % 8], wild[i / 8], i % 2);
        }
        lp_image_close(image);
    }
    struct lp_image *image = grey(20, 20);
    struct lp_draw_box away = {500, 500, 600, 600, NULL, 0};
    assert_true(lp_draw_boxes(image, &away, 1, NULL));
    assert_true(lp_draw_boxes(image, NULL, 0, NULL));
    assert_int_equal(count_changed(image, 0, 0, 20, 20), 0);
    lp_image_close(image);
}

static void masks(void **state) {
    (void)state;
    struct lp_image *image = grey(80, 60);
    uint8_t *mask = golden_mask(3, 0, 80, 60), color[3];
    lp_draw_color(2, color);
    lp_draw_mask(image, mask, 2, 0.5f);
    int inside = 0;
    for (size_t i = 0; i < 80 * 60; i++) {
        inside += mask[i];
        assert_true(is_grey(image, (int)(i % 80), (int)(i / 80)) == !mask[i]);
    }
    assert_true(inside > 200);
    for (int c = 0; c < 3; c++) /* the disc's middle is half tinted */
        assert_in_range(at(image, 27, 20)[c], (128 + color[c]) / 2 - 1, (128 + color[c]) / 2 + 1);
    lp_draw_mask(image, mask, 2, NAN);
    lp_draw_mask(image, mask, 2, 7);
    assert_memory_equal(at(image, 27, 20), color, 3);
    free(mask);
    lp_image_close(image);
}

static void points(void **state) {
    (void)state;
    struct lp_image *image = grey(100, 100);
    lp_draw_point(image, 30.5f, 40.5f, true);
    lp_draw_point(image, 70.5f, 60.5f, false);
    assert_true(at(image, 30, 40)[1] > 150 && at(image, 30, 40)[0] < 100);
    assert_true(at(image, 70, 60)[0] > 150 && at(image, 70, 60)[1] < 100);
    int changed = count_changed(image, 0, 0, 100, 100);
    assert_in_range(changed, 200, 700);
    assert_int_equal(changed, count_changed(image, 18, 28, 43, 53) + count_changed(image, 58, 48, 83, 73));
    lp_image_close(image);
}

static void memory_runs_out(void **state) {
    (void)state;
    struct lp_image *image = grey(50, 50);
    struct lp_draw_box box = {1, 2, 30, 40, NULL, 1};
    struct lp_error err = {0};
    lp_test_fail_alloc(1);
    assert_false(lp_draw_boxes(image, &box, 1, &err));
    lp_test_fail_alloc(0);
    assert_int_equal(err.code, LP_EMEMORY);
    assert_int_equal(count_changed(image, 0, 0, 50, 50), 0);
    lp_image_close(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colors_differ), cmocka_unit_test(box_outline),     cmocka_unit_test(labels),
        cmocka_unit_test(label_places),  cmocka_unit_test(wild_boxes),      cmocka_unit_test(masks),
        cmocka_unit_test(points),        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
