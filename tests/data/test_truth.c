/* SPDX-License-Identifier: MIT */
/* Truth is read as COCO writes it; files that make no sense are refused with file, entry and reason. */
#include "weights/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "data/truth.h"

#define CATEGORIES "\"categories\": [{\"id\": 18, \"name\": \"dog\", \"supercategory\": \"animal\"}, {\"id\": 5, \"name\": \"leg\"}]"
#define IMAGES "\"images\": [{\"id\": 9, \"file_name\": \"a.jpg\", \"width\": 4, \"height\": 3}, " \
               "{\"id\": 7, \"file_name\": \"b.jpg\", \"width\": 8, \"height\": 8, \"background\": \"beach\"}]"
#define DOG "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 1, 2, 2], \"area\": 4"
#define LEG "{\"id\": 2, \"image_id\": 9, \"category_id\": 5, \"bbox\": [0, 1, 1, 2], \"area\": 2, \"part_of\": 1}"

static void put(const char *folder, const char *name, const char *text) {
    folder_put(folder, name, text, strlen(text));
}

static void put_instances(const char *folder, const char *categories, const char *images, const char *annotations) {
    static char text[16384];
    snprintf(text, sizeof text, "{%s, %s, \"annotations\": [%s]}", categories, images, annotations);
    put(folder, "instances.json", text);
}

static void reads_coco(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    folder_make(folder);
    /* the part comes first; a crowd, a polygon and a box that goes over the edge by a rounding, as COCO has them */
    put_instances(folder, CATEGORIES, IMAGES,
                  LEG ", " DOG ", \"segmentation\": {\"size\": [3, 4], \"counts\": \"12105\"}, \"attributes\": {\"color\": \"red\"}}, "
                  "{\"id\": 900100448263, \"image_id\": 7, \"category_id\": 18, \"bbox\": [2.5, 3.25, 5.6, 4.9], \"area\": 20.5, "
                  "\"iscrowd\": 1, \"segmentation\": {\"size\": [8, 8], \"counts\": [60, 4]}}, "
                  "{\"id\": 4, \"image_id\": 7, \"category_id\": 18, \"bbox\": [0, 0, 1, 1], \"area\": 1, \"iscrowd\": 0, "
                  "\"segmentation\": [[0, 0, 1, 0, 1, 1]], \"part_of\": null}");
    put(folder, "captions.json", "{\"images\": [], \"annotations\": [{\"id\": 3, \"image_id\": 9, \"caption\": \"A dog.\"}]}");
    put(folder, "texts.json", "{\"annotations\": [{\"image_id\": 7, \"text\": \"OPEN\", \"bbox\": [1, 1, 4, 2], \"score\": 1}]}");
    put(folder, "relations.json", "{\"annotations\": [{\"image_id\": 7, \"subject\": 4, \"predicate\": \"on\", \"object\": 900100448263}]}");
    struct lp_truth *t = lp_truth_open(folder, &err);
    if (!t)
        fail_msg("%s", err.text);
    assert_true(t->categories == 2 && t->pictures == 2);
    assert_string_equal(t->category[0].plural, "dogs");
    assert_null(t->category[0].synonym[0]);
    const struct lp_truth_picture *a = &t->picture[0], *b = &t->picture[1];
    assert_true(a->wholes == 1 && a->objects == 2 && b->wholes == 2 && b->objects == 2);
    assert_true(a->object[0].id == 1 && a->object[0].category == 0 && a->object[0].part_of == -1);
    assert_true(a->object[1].id == 2 && a->object[1].category == 1 && a->object[1].part_of == 0);
    assert_string_equal(a->object[0].color, "red");
    assert_string_equal(a->object[0].rle, "12105");
    assert_true(lp_truth_count(a, 0) == 1 && lp_truth_count(a, 1) == 0 && lp_truth_count(b, 0) == 2);
    assert_true(lp_truth_shows(a, 1) && lp_truth_shows(a, 0) && !lp_truth_shows(b, 1));
    assert_null(a->background);
    assert_string_equal(b->background, "beach");
    assert_true(b->object[0].box[2] == 8 && b->object[0].box[3] == 8 && b->object[0].box[0] == 2.5f && !b->object[0].rle);
    assert_true(a->captions == 1 && b->captions == 0 && b->texts == 1 && b->relations == 1);
    assert_string_equal(b->text[0].text, "OPEN");
    assert_true(b->text[0].box[2] == 5 && b->relation[0].subject == 1 && b->relation[0].object == 0);
    lp_truth_close(t);
    folder_remove(folder);
}

static void expect(const char *folder, const char *reason, const char *file) {
    struct lp_error err = {0};
    struct lp_truth *t = lp_truth_open(folder, &err);
    if (t || !strstr(err.text, reason) || !strstr(err.text, file))
        fail_msg("expected '%s' of %s, got '%s'", reason, file, t ? "no error" : err.text);
    assert_true(err.code == LP_EINPUT || err.code == LP_EIO);
}

static void refuses_instances(void **state) {
    (void)state;
    static const struct {
        const char *categories, *images, *annotations, *reason;
    } bad[] = {
        {"\"categories\": {}", IMAGES, "", "no list 'categories'"},
        {"\"categories\": [7]", IMAGES, "", "category 1 of the list: it has no 'id'"},
        {"\"categories\": [{\"id\": 1}]", IMAGES, "", "it has no name"},
        {"\"categories\": [{\"id\": 1, \"name\": 3}]", IMAGES, "", "name"},
        {"\"categories\": [{\"id\": 1, \"name\": \"a\"}, {\"id\": 1, \"name\": \"b\"}]", IMAGES, "", "two categories 1"},
        {CATEGORIES, "\"images\": 4", "", "no list 'images'"},
        {CATEGORIES, "\"images\": [{\"id\": \"1\"}]", "", "'id' must be a whole number"},
        {CATEGORIES, "\"images\": [{\"id\": 1, \"file_name\": \"../a.jpg\", \"width\": 4, \"height\": 4}]", "", "file name inside"},
        {CATEGORIES, "\"images\": [{\"id\": 1, \"file_name\": \"/a.jpg\", \"width\": 4, \"height\": 4}]", "", "file name inside"},
        {CATEGORIES, "\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 0, \"height\": 4}]", "", "'width' is 0"},
        {CATEGORIES, "\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 4, \"height\": 9999999999}]", "", "'height'"},
        {CATEGORIES, "\"images\": [{\"id\": 1, \"file_name\": \"a\", \"width\": 99999, \"height\": 99999}]", "", "larger than"},
        {CATEGORIES, "\"images\": [{\"id\": 9, \"file_name\": \"a\", \"width\": 4, \"height\": 4}, "
                     "{\"id\": 9, \"file_name\": \"b\", \"width\": 4, \"height\": 4}]", "", "two images 9"},
        {CATEGORIES, IMAGES, "3", "annotation 1 of the list: it has no 'image_id'"},
        {CATEGORIES, IMAGES, "{\"image_id\": 8}", "there is no image 8"},
        {CATEGORIES, IMAGES, DOG "}, {\"image_id\": 9}", "annotation 2 of the list: it has no 'id'"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 2, \"bbox\": [0, 0, 1, 1]}", "no category 2"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18}", "its box"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 0, 1]}", "its box"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 0, -1, 1]}", "its box"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 0, 1, 1e300]}", "its box"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [3, 0, 3, 1]}", "its box"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 0, 1, 1], \"area\": 1e300}", "its area"},
        {CATEGORIES, IMAGES, "{\"id\": 1, \"image_id\": 9, \"category_id\": 18, \"bbox\": [0, 0, 1, 1], \"area\": \"1\"}", "'area'"},
        {CATEGORIES, IMAGES, DOG ", \"depth\": -1}", "'depth'"},
        {CATEGORIES, IMAGES, DOG ", \"segmentation\": {\"size\": [4, 3], \"counts\": \"12105\"}}", "mask's size"},
        {CATEGORIES, IMAGES, DOG ", \"segmentation\": {\"counts\": \"12105\"}}", "mask's size"},
        {CATEGORIES, IMAGES, DOG ", \"segmentation\": {\"size\": [3, 4], \"counts\": \"1222\"}}", "cover"},
        {CATEGORIES, IMAGES, DOG ", \"segmentation\": {\"size\": [3, 4], \"counts\": \"9oooo1\"}}", "do not fit"},
        {CATEGORIES, IMAGES, DOG ", \"segmentation\": {\"size\": [3, 4], \"counts\": \"ooooooooooo\"}}", "malformed"},
        {CATEGORIES, IMAGES, DOG "}, " DOG "}", "two annotations 1"},
        {CATEGORIES, IMAGES, LEG, "part of 1, which is no whole thing"},
        {CATEGORIES, IMAGES, DOG "}, " LEG ", {\"id\": 3, \"image_id\": 9, \"category_id\": 5, \"bbox\": [0, 1, 1, 1], \"part_of\": 2}",
         "part of 2, which is no whole thing"},
        {CATEGORIES, IMAGES, DOG "}, {\"id\": 3, \"image_id\": 7, \"category_id\": 18, \"bbox\": [0, 1, 1, 1]}, "
                     "{\"id\": 4, \"image_id\": 7, \"category_id\": 5, \"bbox\": [0, 1, 1, 1], \"part_of\": 1}", "no whole thing in the picture"},
        {CATEGORIES, IMAGES, DOG ", \"part_of\": \"x\"}", "'part_of' must be a whole number"},
    };
    char folder[64];
    folder_make(folder);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_instances(folder, bad[i].categories, bad[i].images, bad[i].annotations);
        expect(folder, bad[i].reason, "instances.json");
    }
    folder_remove(folder);
}

static void refuses_files(void **state) {
    (void)state;
    static const struct {
        const char *file, *text, *reason;
    } bad[] = {
        {"captions.json", "{\"annotations\": [", "not valid JSON"},
        {"captions.json", "[]", "no list 'annotations'"},
        {"captions.json", "{\"annotations\": [{\"image_id\": 1, \"caption\": \"a\"}]}", "there is no image 1"},
        {"captions.json", "{\"annotations\": [{\"image_id\": 9}]}", "annotation 1 of the list: it has no 'caption'"},
        {"texts.json", "{\"annotations\": [{\"image_id\": 9, \"text\": 3}]}", "it has no 'text'"},
        {"texts.json", "{\"annotations\": [{\"image_id\": 9, \"text\": \"a\", \"bbox\": [0, 0, 9, 9]}]}", "its box"},
        {"relations.json", "{\"annotations\": [{\"image_id\": 9, \"subject\": 1, \"object\": 1}]}", "not in the picture"},
        {"relations.json", "{\"annotations\": [{\"image_id\": 9, \"subject\": 1, \"predicate\": \"on\", \"object\": 5}]}", "not in the picture"},
        {"relations.json", "{\"annotations\": [{\"image_id\": 7, \"subject\": 1, \"predicate\": \"on\", \"object\": 1}]}", "not in the picture"},
        {"relations.json", "{\"annotations\": [{\"image_id\": 9, \"predicate\": \"on\", \"object\": 1}]}", "it has no 'subject'"},
    };
    char folder[64], path[400];
    folder_make(folder);
    expect(folder, "cannot open", "instances.json");
    put(folder, "instances.json", "");
    expect(folder, "not valid JSON", "instances.json");
    static char deep[20000];
    memset(deep, '[', sizeof deep - 1);
    put(folder, "instances.json", deep);
    expect(folder, "not valid JSON", "instances.json");
    put_instances(folder, CATEGORIES, IMAGES, DOG "}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(folder, bad[i].file, bad[i].text);
        expect(folder, bad[i].reason, bad[i].file);
        snprintf(path, sizeof path, "%s/%s", folder, bad[i].file);
        unlink(path);
    }
    folder_remove(folder);
}

static void survives_no_memory(void **state) {
    (void)state;
    char folder[64];
    folder_make(folder);
    put_instances(folder, CATEGORIES, IMAGES, DOG "}, " LEG);
    put(folder, "captions.json", "{\"annotations\": [{\"image_id\": 9, \"caption\": \"A dog.\"}]}");
    struct lp_truth *t = NULL;
    for (long n = 1; !t && n < 5000; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        t = lp_truth_open(folder, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(t ? !failed : err.code == LP_EMEMORY);
    }
    assert_non_null(t);
    lp_truth_close(t);
    folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_coco),
        cmocka_unit_test(refuses_instances),
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
