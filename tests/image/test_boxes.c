/* SPDX-License-Identifier: MIT */
/* Boxes, against torchvision.ops (golden/boxes.json, made by tools/golden/boxes.py). */
#include "base/json.h"
#include "base/memory.h"
#include "image/boxes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 64 }; /* boxes */

static json_t *load(void) {
    struct lp_error err = {0};
    json_t *json = lp_json_load(LP_TESTS_DIR "/golden/boxes.json", &err);
    if (!json)
        fail_msg("%s", err.text);
    return json;
}

static int64_t floats(const json_t *list, float *out) {
    size_t i;
    json_t *number;
    assert_true(json_array_size(list) <= 4 * MOST);
    json_array_foreach((json_t *)list, i, number) out[i] = (float)json_number_value(number);
    return (int64_t)i;
}

static void suppresses(void **state) {
    (void)state;
    json_t *all = load(), *one;
    size_t i;
    int64_t gone = 0;
    json_array_foreach(json_object_get(all, "suppress"), i, one) {
        const json_t *groups = json_array_get(one, 3), *theirs = json_array_get(one, 4);
        float corners[4 * MOST], score[MOST];
        int group[MOST] = {0};
        int64_t kept[MOST];
        floats(json_array_get(one, 1), corners);
        int64_t n = floats(json_array_get(one, 2), score);
        for (size_t k = 0; k < json_array_size(groups); k++)
            group[k] = (int)json_integer_value(json_array_get(groups, k));
        int64_t count = lp_boxes_suppress(corners, score, json_is_array(groups) ? group : NULL, n,
                                          json_number_value(json_array_get(one, 0)), kept, NULL);
        assert_int_equal(count, json_array_size(theirs));
        for (int64_t k = 0; k < count; k++)
            assert_int_equal(kept[k], json_integer_value(json_array_get(theirs, (size_t)k)));
        gone += n - count;
    }
    assert_true(i == 24 && gone > 60);
    json_decref(all);
}

static void converts(void **state) {
    (void)state;
    json_t *all = load(), *one;
    size_t i;
    json_array_foreach(json_object_get(all, "convert"), i, one) {
        int from = (int)json_integer_value(json_array_get(one, 0)),
            to = (int)json_integer_value(json_array_get(one, 1));
        float box[4 * MOST], want[4 * MOST];
        int64_t numbers = floats(json_array_get(json_object_get(all, "start"), (size_t)from), box);
        assert_int_equal(floats(json_array_get(one, 2), want), numbers);
        lp_boxes_convert(box, (enum lp_box_form)to, box, (enum lp_box_form)from, numbers / 4);
        for (int64_t k = 0; k < numbers; k++)
            assert_float_equal(box[k], want[k], 2e-7);
    }
    assert_int_equal(i, 9);
    json_decref(all);
}

static void shares(void **state) {
    (void)state;
    json_t *all = load();
    float corners[4 * MOST], want[4 * MOST];
    int64_t n = floats(json_array_get(json_object_get(all, "start"), LP_BOX_CORNERS), corners) / 4;
    assert_int_equal(floats(json_object_get(all, "iou"), want), n * n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            assert_float_equal(lp_box_iou(corners + 4 * i, corners + 4 * k), want[i * n + k], 1e-6);
    json_decref(all);
    const float empty[4] = {1, 1, 1, 3};
    assert_true(isnan(lp_box_iou(empty, empty)));
}

static void scales_and_clips(void **state) {
    (void)state;
    float box[8] = {-0.5f, 0.25f, 0.5f, 2, 0, 0, 1, 1};
    lp_boxes_scale(box, 2, 200, 100);
    lp_boxes_clip(box, 2, 200, 100);
    const float want[8] = {0, 25, 100, 100, 0, 0, 200, 100};
    assert_memory_equal(box, want, sizeof want);
}

/* No boxes, scores that are none, no memory. */
static void limits(void **state) {
    (void)state;
    const float corners[12] = {0, 0, 4, 4, 0, 0, 4, 4, 9, 9, 9, 9}, score[3] = {NAN, 0.5f, 0.5f};
    int64_t kept[3];
    struct lp_error err = {0};
    assert_int_equal(lp_boxes_suppress(corners, score, NULL, 0, 0.5, kept, &err), 0);
    assert_int_equal(lp_boxes_suppress(corners, score, NULL, 3, 0.5, kept, &err), 2);
    assert_true(kept[0] == 1 && kept[1] == 2);
    lp_test_fail_alloc(1);
    assert_int_equal(lp_boxes_suppress(corners, score, NULL, 3, 0.5, kept, &err), -1);
    lp_test_fail_alloc(0);
    assert_int_equal(err.code, LP_EMEMORY);
}

static void boxes_have_places(void **state) {
    (void)state;
    assert_string_equal(lp_place_names[lp_box_place((const float[]){0, 0, 0.5f, 0.4f})], "at the top left");
    assert_string_equal(lp_place_names[lp_box_place((const float[]){0, 0, 1, 1})], "in the middle");
    assert_string_equal(lp_place_names[lp_box_place((const float[]){0.7f, 0.1f, 0.9f, 0.9f})], "on the right");
    assert_string_equal(lp_place_names[lp_box_place((const float[]){0.4f, 0.7f, 0.6f, 1})], "at the bottom");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(suppresses), cmocka_unit_test(converts),
                                       cmocka_unit_test(shares), cmocka_unit_test(scales_and_clips),
                                       cmocka_unit_test(limits), cmocka_unit_test(boxes_have_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
