/* SPDX-License-Identifier: MIT */
/* Outlines as run lengths, their area, box and overlap, against pycocotools (golden/coco/shapes.json, made by
 * tools/golden/coco.py). */
#include "base/json.h"
#include "base/memory.h"
#include "image/rle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 }; /* numbers in an outline, outlines */

static json_t *load(void) {
    struct lp_error err = {0};
    json_t *json = lp_json_load(LP_TESTS_DIR "/golden/coco/shapes.json", &err);
    if (!json)
        fail_msg("%s", err.text);
    return json;
}

/* [[x, y, ..], ..] */
static void read_outlines(const json_t *list, double xy[MOST], size_t points[MOST]) {
    size_t at = 0, i, k;
    json_t *outline, *number;
    json_array_foreach((json_t *)list, i, outline) {
        points[i] = json_array_size(outline) / 2;
        json_array_foreach(outline, k, number) {
            assert_true(at < MOST);
            xy[at++] = json_number_value(number);
        }
    }
}

static void outlines(void **state) {
    (void)state;
    json_t *all = load(), *one;
    size_t i;
    json_array_foreach(json_object_get(all, "polygons"), i, one) {
        int w, h, area;
        json_t *list;
        const char *counts;
        double xy[MOST], box[4], ours[4];
        size_t points[MOST];
        struct lp_rle rle;
        assert_int_equal(json_unpack(one, "[i,i,o,s,i,[F,F,F,F]]", &w, &h, &list, &counts, &area, &box[0],
                                     &box[1], &box[2], &box[3]),
                         0);
        read_outlines(list, xy, points);
        assert_true(lp_rle_from_polygons(&rle, xy, points, json_array_size(list), w, h, NULL));
        char *text = lp_rle_text(&rle, NULL);
        if (strcmp(text, counts))
            fail_msg("polygon %zu is %s, pycocotools has %s", i, text, counts);
        lp_rle_box(&rle, ours);
        assert_int_equal(lp_rle_area(&rle), area);
        assert_memory_equal(ours, box, sizeof box);
        lp_free(text);
        lp_rle_done(&rle);
    }
    assert_true(i > 150);
    json_decref(all);
}

static void overlaps(void **state) {
    (void)state;
    json_t *all = load(), *one;
    size_t i;
    json_array_foreach(json_object_get(all, "masks"), i, one) {
        int w, h, crowd;
        const char *counts[2];
        double iou;
        struct lp_rle a, b;
        assert_int_equal(json_unpack(one, "[i,i,s,s,i,F]", &w, &h, &counts[0], &counts[1], &crowd, &iou), 0);
        assert_true(lp_rle_read(&a, counts[0], strlen(counts[0]), w, h, NULL));
        assert_true(lp_rle_read(&b, counts[1], strlen(counts[1]), w, h, NULL));
        int64_t both = lp_rle_overlap(&a, &b),
                all_of = lp_rle_area(&a) + (crowd ? 0 : lp_rle_area(&b) - both);
        assert_int_equal(both, lp_rle_overlap(&b, &a));
        assert_true(fabs((both ? (double)both / (double)all_of : 0) - iou) < 1e-9);
        lp_rle_done(&a);
        lp_rle_done(&b);
    }
    assert_true(i == 40);
    json_decref(all);
}

/* From numbers, from pixels and from text it is the same mask; runs may be empty. */
static void one_mask(void **state) {
    (void)state;
    const uint8_t mask[2][3] = {{0, 1, 0}, {1, 1, 0}};
    const uint32_t plain[] = {1, 1, 0, 2, 2};
    struct lp_rle a, b;
    double box[4];
    assert_true(lp_rle_from_mask(&a, mask[0], 3, 2, NULL));
    assert_true(lp_rle_from_runs(&b, plain, 5, 3, 2, NULL));
    assert_int_equal(a.n, 3);
    assert_int_equal(a.run[1], 3);
    assert_int_equal(lp_rle_overlap(&a, &b), 3);
    lp_rle_box(&b, box);
    assert_true(box[0] == 0 && box[1] == 0 && box[2] == 2 && box[3] == 2);
    char *text = lp_rle_text(&a, NULL), *direct = lp_rle_encode(mask[0], 3, 2, NULL);
    assert_string_equal(text, direct);
    lp_free(text);
    lp_free(direct);
    lp_rle_done(&a);
    lp_rle_done(&b);
}

static void refuses(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_rle rle;
    const uint32_t few[] = {2, 3}, many[] = {4, UINT32_MAX, 3};
    assert_false(lp_rle_from_runs(&rle, few, 2, 3, 2, &err));
    assert_string_equal(err.text, "the mask's run lengths cover 5 of its 6 pixels");
    lp_rle_done(&rle);
    assert_false(lp_rle_from_runs(&rle, many, 3, 3, 2, &err));
    assert_string_equal(err.text, "the mask's run lengths do not fit its 3 x 2 pixels");
    lp_rle_done(&rle);
    assert_false(lp_rle_read(&rle, "7", 1, 3, 2, &err));
    assert_int_equal(err.code, LP_EINPUT);
    lp_rle_done(&rle);

    enum { CORNERS = 40000 }; /* to and fro over a wide picture */
    double *xy = calloc(2 * CORNERS, sizeof *xy);
    const size_t points = CORNERS;
    for (int i = 0; i < CORNERS; i++) {
        xy[2 * i] = i % 2 ? 1000 : 0;
        xy[2 * i + 1] = i;
    }
    assert_false(lp_rle_from_polygons(&rle, xy, &points, 1, 1000, 1000, &err));
    assert_string_equal(err.text, "the mask's outlines are too intricate");
    lp_rle_done(&rle);
    free(xy);
}

static void memory_runs_out(void **state) {
    (void)state;
    const double xy[] = {0, 0, 9, 0, 9, 9};
    const size_t points = 3;
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct lp_error err = {0};
        struct lp_rle rle;
        lp_test_fail_alloc(n);
        bool ok = lp_rle_from_polygons(&rle, xy, &points, 1, 10, 10, &err);
        failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(ok, !failed);
        lp_rle_done(&rle);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(outlines), cmocka_unit_test(overlaps),
                                       cmocka_unit_test(one_mask), cmocka_unit_test(refuses),
                                       cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
