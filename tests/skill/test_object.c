/* SPDX-License-Identifier: MIT */
#include "skill/object.h"

#include "base/memory.h"
#include "image/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const float box[4] = {0.1f, 0.2f, 0.3f, 0.4f};
static const uint8_t plane[6] = {0, 1, 1, 0, 0, 1};

static struct lp_object *add(struct lp_objects *o, enum lp_object_kind kind, struct lp_error *err) {
    switch (kind) {
    case LP_OBJECT_IMAGE: {
        struct lp_image *image = lp_image_new(3, 2, err);
        return image ? lp_objects_add_image(o, image, err) : NULL;
    }
    case LP_OBJECT_MASK:
        return lp_objects_add_mask(o, 3, 2, plane, "cat", 0.5f, err);
    case LP_OBJECT_BOX:
        return lp_objects_add_box(o, box, "dog", 0.75f, err);
    case LP_OBJECT_POINT:
        return lp_objects_add_point(o, 0.5f, 0.25f, err);
    case LP_OBJECT_MAP:
        return lp_objects_add_map(o, 3, 2, plane, err);
    case LP_OBJECT_TEXT:
        return lp_objects_add_text(o, "STOP\nhere", 1, err);
    default:
        return lp_objects_add_count(o, 3, NULL, err);
    }
}

static void objects_keep_what_they_are_given(void **state) {
    (void)state;
    struct lp_objects o = {0};
    struct lp_error err = {0};
    for (int round = 0; round < 2; round++)
        for (int k = 0; k < LP_OBJECT_KINDS; k++) {
            struct lp_object *object = add(&o, (enum lp_object_kind)k, &err);
            assert_int_equal(object->number, round + 1);
            assert_ptr_equal(lp_objects_find(&o, object->handle), object);
            assert_ptr_equal(lp_objects_newest(&o, (enum lp_object_kind)k), object);
            assert_int_equal(lp_objects_count(&o, (enum lp_object_kind)k), round + 1);
        }
    assert_int_equal(lp_objects_find(&o, "img_1")->picture->width, 3);
    assert_memory_equal(lp_objects_find(&o, "mask_2")->pixel, plane, 6);
    assert_string_equal(lp_objects_find(&o, "mask_1")->text, "cat");
    assert_float_equal(lp_objects_find(&o, "box_2")->box[3], 0.4f, 0);
    assert_float_equal(lp_objects_find(&o, "box_2")->score, 0.75f, 0);
    assert_float_equal(lp_objects_find(&o, "point_1")->box[1], 0.25f, 0);
    assert_int_equal(lp_objects_find(&o, "map_1")->height, 2);
    assert_string_equal(lp_objects_find(&o, "text_1")->text, "STOP\nhere");
    assert_int_equal(lp_objects_find(&o, "count_1")->count, 3);
    assert_null(lp_objects_find(&o, "box_3"));
    assert_null(lp_objects_find(&o, ""));
    lp_objects_cut(&o, 1);
    assert_int_equal(o.n, 1);
    assert_null(lp_objects_newest(&o, LP_OBJECT_BOX));
    lp_objects_done(&o);
    lp_objects_done(&o);
}

static void moving_numbers_on(void **state) {
    (void)state;
    struct lp_objects a = {0}, b = {0};
    struct lp_error err = {0};
    add(&a, LP_OBJECT_BOX, &err);
    add(&b, LP_OBJECT_BOX, &err);
    add(&b, LP_OBJECT_TEXT, &err);
    assert_true(lp_objects_move(&a, &b, &err));
    assert_int_equal(b.n, 0);
    assert_int_equal(a.n, 3);
    assert_string_equal(a.item[1]->handle, "box_2");
    assert_string_equal(a.item[2]->handle, "text_1");
    lp_objects_done(&a);
    lp_objects_done(&b);
}

static void handles_are_parsed_strictly(void **state) {
    (void)state;
    enum lp_object_kind kind;
    int number;
    assert_true(lp_handle_parse("count_12", &kind, &number));
    assert_int_equal(kind, LP_OBJECT_COUNT);
    assert_int_equal(number, 12);
    assert_true(lp_handle_parse("img_999999", &kind, &number));
    static const char *const bad[] = {"",        "box",         "box_",   "box_0",  "box_01",
                                      "box_1 ",  " box_1",      "Box_1",  "box_-1", "boxes_1",
                                      "box_1.5", "box_1000000", "image_1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(lp_handle_parse(bad[i], &kind, &number));
}

static const char *handles(const struct lp_objects *o, int first, struct lp_str *out) {
    lp_str_cut(out, 0);
    lp_objects_format_handles(o, first, out);
    return lp_str_text(out);
}

static void handles_are_listed_by_kind(void **state) {
    (void)state;
    struct lp_objects o = {0};
    struct lp_error err = {0};
    struct lp_str out = {0};
    assert_string_equal(handles(&o, 0, &out), "");
    add(&o, LP_OBJECT_IMAGE, &err);
    add(&o, LP_OBJECT_BOX, &err);
    add(&o, LP_OBJECT_MASK, &err);
    add(&o, LP_OBJECT_BOX, &err);
    add(&o, LP_OBJECT_TEXT, &err);
    add(&o, LP_OBJECT_MAP, &err);
    add(&o, LP_OBJECT_COUNT, &err);
    add(&o, LP_OBJECT_BOX, &err);
    assert_string_equal(handles(&o, 0, &out), "text_1, count_1, box_1..box_3, mask_1, map_1, img_1");
    assert_string_equal(handles(&o, 7, &out), "box_3");
    assert_string_equal(handles(&o, 8, &out), "");
    lp_str_done(&out);
    lp_objects_done(&o);
}

static void answers_quote_objects(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"The sign says: {text_1}", "The sign says: STOP\nhere"},
        {"{count_1} things, {box_1} and {box_2}", "3 things, dog at the top left and [0.10, 0.20, 0.30, 0.40]"},
        {"one is {place_1}, one {place_3}; {place_4}, {place_x}, {place_}",
         "one is at the top left, one on the right; place_4, {place_x}, {place_}"},
        {"see {mask_1} and {img_4}", "see mask_1 and img_4"},
        {"{ {text_1} } {}", "{ STOP\nhere } {}"},
        {"{{text_1}}", "{STOP\nhere}"},
        {"{text_1", "{text_1"},
        {"{not a handle} {text_01}", "{not a handle} {text_01}"},
        {"", ""},
    };
    struct lp_objects o = {0};
    struct lp_error err = {0};
    add(&o, LP_OBJECT_TEXT, &err);
    add(&o, LP_OBJECT_COUNT, &err);
    add(&o, LP_OBJECT_BOX, &err);
    add(&o, LP_OBJECT_MASK, &err);
    lp_objects_add_box(&o, box, NULL, 1, &err);
    lp_objects_add_box(&o, (const float[]){0.5f, 0.4f, 0.9f, 0.6f}, NULL, 1, &err);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lp_str out = {0};
        lp_objects_quote(&o, pairs[i][0], &out);
        assert_string_equal(lp_str_text(&out), pairs[i][1]);
        lp_str_done(&out);
    }
    lp_objects_done(&o);
}

static void failing_allocations(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        struct lp_objects o = {0}, more = {0};
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        bool ok = true;
        for (int k = 0; ok && k < LP_OBJECT_KINDS; k++)
            ok = add(&o, (enum lp_object_kind)k, &err) && add(&more, (enum lp_object_kind)k, &err);
        int before = o.n;
        if (ok && !(ok = lp_objects_move(&o, &more, &err)))
            assert_int_equal(o.n, before);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(ok != failed);
        assert_int_equal(err.code, failed ? LP_EMEMORY : LP_OK);
        lp_objects_done(&o);
        lp_objects_done(&more);
        if (!failed)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_keep_what_they_are_given),
        cmocka_unit_test(moving_numbers_on),
        cmocka_unit_test(handles_are_parsed_strictly),
        cmocka_unit_test(handles_are_listed_by_kind),
        cmocka_unit_test(answers_quote_objects),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
