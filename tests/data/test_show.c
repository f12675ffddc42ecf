/* SPDX-License-Identifier: MIT */
/* Records drawn for people: the truth's marks are there, the words are there, pages hold what they are given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/show.h"
#include "image/draw.h"
#include "image/page.h"
#include "text/literal.h"

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
    struct lp_show show;
    assert_true(lp_show_open(&show, SCENES, &err));
    for (int64_t i = 0; i < show.truth->pictures; i++) {
        struct lp_image *card = lp_show_card(&show, i, &err);
        assert_non_null(card);
        for (int k = 0; k < show.truth->picture[i].wholes; k++) { /* a box of each thing's colour */
            uint8_t rgb[3];
            lp_draw_color(k, rgb);
            assert_true(count_color(card, rgb) > 20);
        }
        struct lp_image *page = i < 2 ? lp_show_scene(&show, i, &err) : NULL;
        assert_true(i >= 2 || (page && page->width > 1.8 * card->width));
        lp_image_close(page);
        lp_image_close(card);
    }
    lp_show_done(&show);
    assert_false(lp_show_open(&show, "/nowhere", &err));
}

/* A folder with everything: a part, print, a map of classes, an edit; and edits that point out of it. */
static void everything_known_is_on_the_page(void **state) {
    (void)state;
    static const char *const files[][2] = {
        {"instances.json",
         "{\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"width\": 8, \"height\": 8}], \"categories\": "
         "[{\"id\": 1, \"name\": \"house\"}, {\"id\": 2, \"name\": \"door\"}], \"annotations\": ["
         "{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"bbox\": [0, 0, 4, 8], \"segmentation\": {\"size\": [8, 8], "
         "\"counts\": \"0P1P1\"}}, {\"id\": 2, \"image_id\": 1, \"category_id\": 2, \"bbox\": [1, 4, 2, 4], \"part_of\": 1}]}"},
        {"texts.json", "{\"annotations\": [{\"image_id\": 1, \"bbox\": [5, 5, 2, 1], \"text\": \"<STOP> & go\"}]}"},
        {"semantic.json", "{\"classes\": [{\"id\": 0, \"name\": \"sky\"}]}"},
        {"edits.json", "[{\"before\": \"a.png\", \"after\": \"../a.png\"}, 7, {\"before\": \"a.png\", \"after\": \"b.png\", "
                       "\"instruction\": \"more\"}]"}};
    char folder[] = "/tmp/lp_show_XXXXXX", path[128];
    struct lp_error err = {0};
    struct lp_show show;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
        assert_true(lp_file_write(path, files[i][1], strlen(files[i][1]), &err));
    }
    struct lp_image *black = lp_image_new(8, 8, &err);
    static const char *const pictures[] = {"a.png", "b.png", "maps/a.png"};
    int widths[3] = {0};
    snprintf(path, sizeof path, "%s/maps", folder);
    assert_true(lp_file_make_folder(path, &err));
    for (int i = 0; i < 3; i++) { /* a panel more each time */
        snprintf(path, sizeof path, "%s/%s", folder, pictures[i]);
        assert_true(lp_image_save(black, path, &err));
        if (i == 0)
            continue;
        if (!lp_show_open(&show, folder, &err))
            fail_msg("%s", err.text);
        struct lp_image *page = lp_show_scene(&show, 0, &err);
        if (!page)
            fail_msg("%s", err.text);
        widths[i] = page->width;
        lp_image_close(page);
        lp_show_done(&show);
    }
    assert_true(widths[2] > widths[1]);
    lp_image_close(black);
    for (int i = 2; i >= 0; i--) {
        snprintf(path, sizeof path, "%s/%s", folder, pictures[i]);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i][0]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/maps", folder);
    rmdir(path);
    assert_int_equal(rmdir(folder), 0);
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
    assert_int_equal(json_object_set_new(record, "images", json_pack("[s, s]", "000000.jpg", "000000.jpg")), 0);
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
    json_decref(record);
}

static void odd_records_are_drawn(void **state) {
    (void)state;
    static const char *const odd[] = {
        "{}", "{'conversations': []}", "{'conversations': [3, null, {'value': 7}]}",
        "{'conversations': [{'value': '<image>\\nx\\n\\nInput point: [0.5'}, {'actions': [1, {'API_params': {'a': null}}]},"
        "{'value': 'a model outputs: {\\'boxes\\': [[1, 2], 3, [9, 9, -9, \\'x\\'], [-5, 0, 1e9, 7]]}'}]}",
        "{'images': ['000000.jpg'], 'conversations': [{'value': '<image>\\n<image>\\nx\\n\\nInput box: [0.1, 0.2, 1e30, -4]'}]}"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct lp_error err = {0};
        json_t *record = lp_literal_parse(odd[i], strlen(odd[i]), &err);
        assert_non_null(record);
        struct lp_image *image = lp_show_record(record, SCENES, &err);
        if (!image)
            fail_msg("%zu: %s", i, err.text);
        lp_image_close(image);
        json_decref(record);
    }
}

/* Each allocation fails once; pictures and words come from libraries with their own memory. */
static void memory_may_run_out(void **state) {
    (void)state;
    static const char text[] = "{'images': ['000000.jpg'], 'conversations': [{'value': '<image>\\nx\\n\\nInput point: [0.5, 0.5]'},"
                               "{'thoughts': 'T', 'actions': [{'API_name': 'ocr', 'API_params': {'a': [1]}}], 'value': 'v'},"
                               "{'value': 'ocr model outputs: {\\'boxes\\': [[0.1, 0.1, 0.2, 0.2]], \\'texts\\': [\\'A\\']}'}]}";
    struct lp_error err = {0};
    json_t *record = lp_literal_parse(text, strlen(text), &err);
    assert_non_null(record);
    long n = 0;
    for (bool done = false; !done;) {
        err = (struct lp_error){0};
        lp_test_fail_alloc(++n);
        struct lp_image *image = lp_show_record(record, SCENES, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        done = image;
        if (done == failed || (failed && err.code != LP_EMEMORY))
            fail_msg("allocation %ld: %s", n, err.text);
        lp_image_close(image);
    }
    assert_true(n > 20);
    json_decref(record);
}

static void text_is_broken_into_lines(void **state) {
    (void)state;
    static const struct lp_page_pen pen = {"sans bold", 12, {1, 2, 3}}, large = {"sans bold", 30, {1, 2, 3}};
    char text[400];
    memset(text, 'm', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct lp_image *page = lp_page_new(120, 200, NULL);
    int measured = lp_page_write(NULL, text, &pen, 10, 5, 100, NULL);
    assert_true(measured > 200); /* more than fits: what is below is clipped */
    assert_int_equal(lp_page_write(page, text, &pen, 10, 5, 100, NULL), measured);
    assert_true(count_color(page, pen.color) > 50);
    assert_int_equal(lp_page_write(page, " \n", &pen, 0, 0, 100, NULL), 0);
    assert_true(lp_page_write(page, "\xc3\xa9\xc3\xa9\xc3\xa9 \xff<b>&\x01", &large, -5, -5, 20, NULL) > 0);
    lp_page_panel(page, -10, 190, 300, 300, 8, pen.color);
    assert_true(count_color(page, pen.color) > 119 * 10);
    lp_image_close(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scene_is_drawn_with_its_truth),
        cmocka_unit_test(everything_known_is_on_the_page),
        cmocka_unit_test(odd_records_are_drawn),
        cmocka_unit_test(a_dialogue_is_drawn_with_its_boxes),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(text_is_broken_into_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
