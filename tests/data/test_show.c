/* SPDX-License-Identifier: MIT */
/* Records drawn for people: the truth's marks are there, the words are there, pages hold what they are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "data/show.h"
#include "image/draw.h"
#include "image/page.h"

#define SCENES LP_TESTS_DIR "/data/scenes"

static int count_color(const struct lp_image *image, const uint8_t rgb[3]) {
    int n = 0;
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++)
        n += !memcmp(image->pixel + 3 * i, rgb, 3);
    return n;
}

static void a_scene_is_drawn_with_its_truth(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_truth *truth = lp_truth_open(SCENES, &err);
    assert_non_null(truth);
    for (int64_t i = 0; i < truth->pictures; i++) {
        struct lp_image *image = lp_show_scene(SCENES, truth, i, &err);
        assert_non_null(image);
        for (int k = 0; k < truth->picture[i].wholes; k++) { /* a box of each thing's colour */
            uint8_t rgb[3];
            lp_draw_color(k, rgb);
            assert_true(count_color(image, rgb) > 20);
        }
        lp_image_close(image);
    }
    lp_truth_close(truth);
}

static void a_dialogue_is_drawn_with_its_boxes(void **state) {
    (void)state;
    struct lp_error err = {0};
    uint8_t first[3], second[3];
    lp_draw_color(0, first);
    lp_draw_color(1, second);
    json_t *record = json_pack(
        "{s:[{s:s, s:s}, {s:s, s:s, s:[], s:s}, {s:s, s:s}]}", "conversations", "from", "human", "value", "Where?\nHere.", "from",
        "gpt", "thoughts", "None.", "actions", "value", "There.", "from", "human", "value",
        "grounding_dino model outputs: {'boxes': [[0.1, 0.2, 0.5, 0.6], [0.5, 0.5, 0.9, 0.9]], 'logits': [0.5]}");
    struct lp_image *plain = lp_show_record(record, NULL, &err);
    assert_non_null(plain);
    struct lp_truth *truth = lp_truth_open(SCENES, &err);
    assert_non_null(truth);
    assert_int_equal(json_object_set_new(record, "images", json_pack("[s]", truth->picture[0].file)), 0);
    struct lp_image *image = lp_show_record(record, SCENES, &err);
    assert_non_null(image);
    assert_true(image->width > plain->width && count_color(image, first) > 100 && count_color(image, second) > 100);
    struct lp_image *sheet = lp_show_sheet((struct lp_image *[]){plain, image, plain}, 3, 2, &err);
    assert_non_null(sheet);
    assert_int_equal(sheet->width, plain->width + image->width);
    assert_int_equal(sheet->height, image->height + plain->height);
    json_object_set_new(record, "images", json_pack("[s]", "lost.jpg"));
    assert_null(lp_show_record(record, SCENES, &err));
    assert_non_null(strstr(err.text, "lost.jpg"));
    lp_image_close(sheet);
    lp_image_close(image);
    lp_image_close(plain);
    lp_truth_close(truth);
    json_decref(record);
}

static void long_words_are_broken(void **state) {
    (void)state;
    static const uint8_t ink[3] = {1, 2, 3};
    char text[400];
    memset(text, 'm', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct lp_image *page = lp_page_new(120, 200, NULL);
    int measured = lp_page_write(NULL, text, 12, 10, 5, 100, ink, NULL);
    assert_true(measured > 200); /* more than fits: what is below is clipped */
    assert_int_equal(lp_page_write(page, text, 12, 10, 5, 100, ink, NULL), measured);
    assert_true(count_color(page, ink) > 50);
    assert_int_equal(lp_page_write(page, "", 12, 0, 0, 100, ink, NULL), 0);
    assert_true(lp_page_write(page, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 30, 0, 0, 20, ink, NULL) > 0);
    lp_image_close(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scene_is_drawn_with_its_truth),
        cmocka_unit_test(a_dialogue_is_drawn_with_its_boxes),
        cmocka_unit_test(long_words_are_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
