/* SPDX-License-Identifier: MIT */
/* Reading with the real engine: stored pictures of writing, pictures of nothing, odd sizes, failing
 * allocations. */
#include "base/memory.h"
#include "image/image.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lp_bench *bench;

static int start(void **state) {
    struct lp_error err = {0};
    *state = bench = lp_bench_open(&err);
    return bench ? 0 : -1;
}

static int finish(void **state) {
    lp_bench_close(*state);
    return 0;
}

/* Reads a picture into fresh objects; the caller ends both. */
static bool read_into(struct lp_call *call, struct lp_objects *objects, const struct lp_image *image,
                      struct lp_error *err) {
    *objects = (struct lp_objects){0};
    *call =
        (struct lp_call){.skill = lp_skill_find("ocr"), .objects = objects, .picture = image, .bench = bench};
    return lp_skill_run(call, err);
}

static void reads_a_stored_screenshot(void **state) {
    (void)state;
    static const char text[] = "Disk Utility\nThe backup could not be completed.\n"
                               "There is not enough free space on drive D.\nTry again Cancel";
    struct lp_error err = {0};
    struct lp_objects objects;
    struct lp_call call;
    struct lp_image *image = lp_image_open(LP_TESTS_DIR "/e2e/ocr/22-error.png", &err);
    assert_non_null(image);
    assert_true(read_into(&call, &objects, image, &err));
    assert_string_equal(lp_objects_find(&objects, "text_1")->text, text);
    assert_string_equal(lp_objects_find(&objects, "box_2")->text, "The backup could not be completed.");
    assert_int_equal(objects.n, 5);
    assert_string_equal(json_string_value(json_object_get(call.report, "text")), text);
    const char *key;
    json_t *value;
    int i = 0;
    json_object_foreach(call.result, key, value) {
        static const char *const keys[] = {"boxes", "texts", "scores", "handles"};
        assert_string_equal(key, keys[i++]);
        if (json_is_array(value))
            assert_int_equal(json_array_size(value), 4);
    }
    assert_string_equal(json_string_value(json_object_get(call.result, "handles")), "text_1, box_1..box_4");
    struct lp_image *drawn = lp_call_annotate(&call, &err);
    assert_non_null(drawn);
    lp_image_close(drawn);
    lp_call_done(&call);
    lp_objects_done(&objects);
    lp_image_close(image);
}

/* Boxes are in pixels of the picture, also when the picture is read larger or smaller than it is. */
static void boxes_surround_the_writing(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_objects objects;
    struct lp_call call;
    struct lp_image *image = lp_image_open(LP_TESTS_DIR "/e2e/ocr/22-error.png", &err);
    assert_true(read_into(&call, &objects, image, &err));
    const json_t *lines = json_object_get(call.report, "lines");
    size_t l, w;
    json_t *line, *word;
    json_array_foreach(lines, l, line) {
        json_int_t x0, y0, x1, y1, a0, b0, a1, b1;
        assert_int_equal(json_unpack(line, "{s:[I,I,I,I]}", "box", &x0, &y0, &x1, &y1), 0);
        assert_true(0 <= x0 && x0 < x1 && x1 <= image->width && 0 <= y0 && y0 < y1 && y1 <= image->height);
        json_array_foreach(json_object_get(line, "words"), w, word) {
            assert_int_equal(json_unpack(word, "{s:[I,I,I,I]}", "box", &a0, &b0, &a1, &b1), 0);
            assert_true(x0 <= a0 && a0 < a1 && a1 <= x1 && y0 <= b0 && b0 < b1 && b1 <= y1);
            double confidence = json_number_value(json_object_get(word, "confidence"));
            assert_true(confidence > 0.3 && confidence <= 1);
        }
        /* There is ink in the box and it is not alone there: both light and dark pixels. */
        int least = 255, most = 0;
        for (json_int_t y = y0; y < y1; y++)
            for (json_int_t x = x0; x < x1; x++) {
                int v = image->pixel[3 * (y * image->width + x) + 1];
                least = v < least ? v : least;
                most = v > most ? v : most;
            }
        assert_true(most - least > 60);
    }
    lp_call_done(&call);
    lp_objects_done(&objects);
    lp_image_close(image);
}

static void nothing_to_read_is_no_error(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1},   {2, 1},   {1, 2},    {3, 3},    {16, 16},
                                   {300, 2}, {2, 300}, {1, 5000}, {640, 480}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct lp_error err = {0};
        struct lp_objects objects;
        struct lp_call call;
        struct lp_image *image = lp_image_new(sizes[i][0], sizes[i][1], &err);
        memset(image->pixel, 200, (size_t)3 * (size_t)image->width * (size_t)image->height);
        if (!read_into(&call, &objects, image, &err))
            fail_msg("%dx%d: %s", image->width, image->height, err.text);
        assert_int_equal(objects.n, 0);
        char *text = lp_json_text(call.result);
        assert_string_equal(text, "{\"boxes\":[],\"texts\":[],\"scores\":[]}");
        lp_free(text);
        lp_call_done(&call);
        lp_objects_done(&objects);
        lp_image_close(image);
    }
}

/* Noise has no lines; looking for them would take minutes. */
static void noise_is_let_be(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_objects objects;
    struct lp_call call;
    struct lp_image *image = lp_image_new(2000, 2000, &err);
    uint32_t x = 1;
    for (size_t i = 0; i < (size_t)2000 * 2000 * 3; i++) {
        x = x * 1664525u + 1013904223u;
        image->pixel[i] = (uint8_t)(x >> 24);
    }
    assert_true(read_into(&call, &objects, image, &err));
    assert_int_equal(objects.n, 0);
    lp_call_done(&call);
    lp_objects_done(&objects);
    lp_image_close(image);
}

static void stops_when_asked(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_objects objects = {0};
    atomic_bool cancel = true;
    struct lp_image *image = lp_image_open(LP_TESTS_DIR "/e2e/ocr/22-error.png", &err);
    struct lp_call call = {.skill = lp_skill_find("ocr"),
                           .objects = &objects,
                           .picture = image,
                           .bench = bench,
                           .cancel = &cancel};
    assert_false(lp_skill_run(&call, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_call_done(&call);
    lp_image_close(image);
}

/* A small strip of a stored picture, which is quick to read again and again. */
static struct lp_image *strip(void) {
    struct lp_error err = {0};
    struct lp_image *image = lp_image_open(LP_TESTS_DIR "/e2e/ocr/22-error.png", &err);
    struct lp_image *small = lp_image_new(image->width, image->height / 4, &err);
    memcpy(small->pixel, image->pixel, (size_t)3 * (size_t)small->width * (size_t)small->height);
    lp_image_close(image);
    return small;
}

static void failing_allocations(void **state) {
    (void)state;
    struct lp_image *image = strip();
    bool failed = true;
    /* In steps: each round reads the strip again. Coprime to what a row takes, so that all kinds are met. */
    for (long n = 1; failed; n += n < 40 ? 1 : 7) {
        struct lp_error err = {0};
        struct lp_objects objects;
        struct lp_call call;
        lp_test_fail_alloc(n);
        bool ok = read_into(&call, &objects, image, &err);
        failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(ok, !failed);
        assert_int_equal(err.code, failed ? LP_EMEMORY : LP_OK);
        assert_int_equal(objects.n > 0, !failed);
        lp_call_done(&call);
        lp_objects_done(&objects);
    }
    lp_image_close(image);
}

static void without_its_data_it_says_what_to_install(void **state) {
    (void)state;
    struct lp_error err = {0};
    setenv("TESSDATA_PREFIX", LP_TESTS_DIR, 1);
    assert_false(lp_skill_ready(lp_skill_find("ocr"), &err));
    unsetenv("TESSDATA_PREFIX");
    assert_int_equal(err.code, LP_EMISSING);
    assert_non_null(strstr(err.text, "tesseract-ocr-eng"));
    assert_true(lp_skill_ready(lp_skill_find("ocr"), &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_stored_screenshot),
        cmocka_unit_test(boxes_surround_the_writing),
        cmocka_unit_test(nothing_to_read_is_no_error),
        cmocka_unit_test(noise_is_let_be),
        cmocka_unit_test(stops_when_asked),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(without_its_data_it_says_what_to_install),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
