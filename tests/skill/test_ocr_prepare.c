/* SPDX-License-Identifier: MIT */
/* Pictures are brought to a size, set straight and split by polarity, and boxes find back. */
#include "skill/ocr_prepare.h"

#include "image/image.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct lp_image *blank(int width, int height, int shade) {
    struct lp_error err = {0};
    struct lp_image *image = lp_image_new(width, height, &err);
    assert_non_null(image);
    memset(image->pixel, shade, (size_t)width * (size_t)height * 3);
    return image;
}

static void dot(struct lp_image *image, int x, int y, int r, int g, int b) {
    uint8_t *p = image->pixel + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
    p[0] = (uint8_t)r;
    p[1] = (uint8_t)g;
    p[2] = (uint8_t)b;
}

/* Dashes in lines that lean by `degrees` (positive: the right end is lower), as writing does. */
static void write_lines(struct lp_image *image, float degrees) {
    float slope = tanf(degrees * (float)(M_PI / 180));
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            int row = (int)floorf((float)y - slope * (float)x);
            bool inside = x > 100 && x < image->width - 100 && row > 100 && row < image->height - 100;
            if (inside && ((row % 40) + 40) % 40 < 14 && x % 24 < 14)
                dot(image, x, y, 0, 0, 0);
        }
    }
}

static struct lp_ocr_views prepare(const struct lp_image *image) {
    struct lp_ocr_views views;
    struct lp_error err = {0};
    if (!lp_ocr_prepare(&views, image, &err))
        fail_msg("%s", err.text);
    return views;
}

static void sizes(void **state) {
    (void)state;
    static const struct {
        int width, height;
        float scale; /* 0: any */
    } pairs[] = {{1, 1, 4},     {3, 2, 4},      {200, 100, 4},    {700, 500, 2},
                 {1400, 20, 1}, {2000, 300, 1}, {4800, 40, 0.5f}, {1, 5000, 0.48f}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lp_image *image = blank(pairs[i].width, pairs[i].height, 255);
        struct lp_ocr_views views = prepare(image);
        assert_true(fabsf(views.scale - pairs[i].scale) < 1e-4f);
        assert_true(views.width >= 1 && views.height >= 1);
        assert_true(fabsf((float)views.width - views.scale * (float)pairs[i].width) <= 1);
        assert_non_null(views.grey);
        assert_true(views.angle == 0);
        float box[4] = {0, 0, (float)views.width, (float)views.height};
        lp_ocr_views_box(&views, box);
        assert_true(box[0] >= 0 && box[1] >= 0);
        assert_true(box[2] <= (float)pairs[i].width && box[3] <= (float)pairs[i].height);
        lp_ocr_views_done(&views);
        lp_image_close(image);
    }
}

static void straight(void **state) {
    (void)state;
    static const float leans[] = {0, 2, -3.5f};
    for (size_t i = 0; i < sizeof leans / sizeof *leans; i++) {
        struct lp_image *image = blank(1000, 700, 255);
        write_lines(image, leans[i]);
        struct lp_ocr_views views = prepare(image);
        if (fabsf(views.angle + leans[i]) > 0.2f)
            fail_msg("lines leaning %g degrees were turned by %g", leans[i], views.angle);
        lp_ocr_views_done(&views);
        lp_image_close(image);
    }
}

/* A black square keeps its place: found in the turned view, its box comes back to where it is in the picture.
 */
static void boxes_back(void **state) {
    (void)state;
    struct lp_image *image = blank(1000, 700, 255);
    write_lines(image, 3);
    for (int y = 30; y < 60; y++)
        for (int x = 840; x < 870; x++)
            dot(image, x, y, 0, 0, 0);
    struct lp_ocr_views views = prepare(image);
    assert_true(fabsf(views.angle) > 2.5f);
    float lo[2] = {1e9f, 1e9f}, hi[2] = {0, 0};
    for (int y = 0; y < 130; y++) {
        for (int x = 1100; x < views.width; x++) {
            if (views.grey[(size_t)y * (size_t)views.width + (size_t)x] < 128) {
                lo[0] = fminf(lo[0], (float)x);
                lo[1] = fminf(lo[1], (float)y);
                hi[0] = fmaxf(hi[0], (float)x + 1);
                hi[1] = fmaxf(hi[1], (float)y + 1);
            }
        }
    }
    float box[4] = {lo[0], lo[1], hi[0], hi[1]};
    lp_ocr_views_box(&views, box);
    /* a turned square's box is larger by about 30 * sin 3 on every side, twice */
    assert_true(fabsf((box[0] + box[2]) / 2 - 855) < 1.5f && fabsf((box[1] + box[3]) / 2 - 45) < 1.5f);
    assert_true(box[0] <= 841 && box[1] <= 31 && box[2] >= 869 && box[3] >= 59);
    assert_true(box[2] - box[0] < 36 && box[3] - box[1] < 36);
    lp_ocr_views_done(&views);
    lp_image_close(image);
}

/* Dark strokes on a yellow patch on red: only the dark view has them, without the patch's edge filling it. */
static void polarity(void **state) {
    (void)state;
    struct lp_image *image = blank(1400, 800, 0);
    for (int y = 0; y < 800; y++) {
        for (int x = 0; x < 1400; x++) {
            bool patch = x > 300 && x < 1100 && y > 200 && y < 600,
                 stroke = patch && x > 500 && x < 900 && x % 40 < 10;
            bool light = y > 650 && y < 700 && x % 40 < 10;
            if (light)
                dot(image, x, y, 255, 255, 255);
            else if (stroke && y > 350 && y < 400)
                dot(image, x, y, 20, 20, 20);
            else if (patch)
                dot(image, x, y, 255, 226, 60);
            else
                dot(image, x, y, 200, 30, 44);
        }
    }
    struct lp_ocr_views views = prepare(image);
    assert_int_equal(views.width, 1400);
    size_t on_stroke = 375 * 1400 + 605, on_patch = 375 * 1400 + 400, on_light = 675 * 1400 + 605;
    assert_true(views.dark[on_stroke] < 60 && views.dark[on_patch] > 200 && views.dark[on_light] > 200);
    assert_true(views.light[on_light] < 60 && views.light[on_stroke] > 200 && views.light[on_patch] > 200);
    lp_ocr_views_done(&views);
    lp_ocr_views_done(&views); /* twice is fine */
    lp_image_close(image);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(straight),
                                       cmocka_unit_test(boxes_back), cmocka_unit_test(polarity)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
