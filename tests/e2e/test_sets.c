/* SPDX-License-Identifier: MIT */
/* The two measured sets are whole: names, numbers, files, and enough of everything. */
#include "e2e/scoring.h"

#include "base/file.h"
#include "eval/plan_score.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const groups[] = {
    "detect",
    "segment_instances",
    "segment_semantic",
    "segment_at",
    "segment_levels",
    "segment_like",
    "caption",
    "tag",
    "caption_ground",
    "tag_ground",
    "ocr",
    "retrieve",
    "generate",
    "edit",
    "inpaint",
    "generate_from_layout",
    "none",
};
enum { GROUPS = sizeof groups / sizeof *groups, NONE = GROUPS - 1 };

static int group_of(const char *name, size_t n) {
    for (int i = 0; i < GROUPS; i++)
        if (strlen(groups[i]) == n && !strncmp(groups[i], name, n))
            return i;
    fail_msg("'%s' begins with no skill's name", name);
    return 0;
}

static void check_picture(const char *folder, const json_t *value) {
    char path[PATH_MAX];
    assert_true(json_is_string(value));
    snprintf(path, sizeof path, "%s/%s", folder, json_string_value(value));
    if (!lp_file_exists(path))
        fail_msg("%s is not there", path);
}

/* Lists of `n` numbers 0..1; of four, the first two are below the last two. */
static size_t check_places(const json_t *places, size_t n) {
    size_t i, k;
    json_t *place, *number;
    json_array_foreach(places, i, place) {
        assert_int_equal(json_array_size(place), n);
        json_array_foreach(place, k, number) {
            assert_true(json_is_number(number));
            assert_true(json_number_value(number) >= 0 && json_number_value(number) <= 1);
            if (k >= 2)
                assert_true(json_number_value(number) > json_number_value(json_array_get(place, k - 2)));
        }
    }
    return json_array_size(places);
}

/* Well formed, and of the group that the id tells. */
static void check_plans(const json_t *expected, int group) {
    struct lp_error err = {0};
    if (!lp_expected_check(expected, &err))
        fail_msg("%s", err.text);
    assert_string_equal(lp_plan_group_name(lp_plan_group(expected)), groups[group]);
}

static json_t *lines_of(const char *path, const char *key) {
    struct lp_error err = {0};
    json_t *lines = score_lines(path, key, &err);
    if (!lines)
        fail_msg("%s", err.text);
    return lines;
}

/* A set with at least so many lines for each skill, without any, and in all. */
static void check_set(const char *folder, int a_skill, int without, size_t all) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/instructions.jsonl", folder);
    json_t *lines = lines_of(path, "id"), *ids = json_object(), *texts = json_object(), *line;
    int count[GROUPS] = {0};
    size_t i;
    json_array_foreach(lines, i, line) {
        const char *id = json_string_value(json_object_get(line, "id"));
        const json_t *text = json_object_get(line, "instruction"),
                     *reference = json_object_get(line, "reference");
        assert_non_null(strrchr(id, '-'));
        int group = group_of(id, (size_t)(strrchr(id, '-') - id));
        count[group]++;
        assert_true(json_is_string(text) && json_string_length(text) > 0);
        assert_null(json_object_get(ids, id));
        assert_null(json_object_get(texts, json_string_value(text)));
        json_object_set_new(ids, id, json_true());
        json_object_set_new(texts, json_string_value(text), json_true());
        check_plans(json_object_get(line, "expected"), group);
        size_t places = check_places(json_object_get(line, "points"), 2);
        places += check_places(json_object_get(line, "boxes"), 4);
        bool at_place = !strcmp(groups[group], "segment_at") || !strcmp(groups[group], "segment_levels");
        assert_true(!at_place || places > 0);
        if (reference) {
            check_picture(folder, json_object_get(reference, "image"));
            assert_true(check_places(json_object_get(reference, "boxes"), 4) > 0);
        }
        assert_int_equal(reference != NULL, !strcmp(groups[group], "segment_like"));
        if (!json_is_null(json_object_get(line, "image")))
            check_picture(folder, json_object_get(line, "image"));
        else
            assert_true(group == NONE || !strcmp(groups[group], "generate"));
    }
    for (int g = 0; g < GROUPS; g++)
        assert_true(count[g] >= (g == NONE ? without : a_skill));
    assert_true(json_array_size(lines) >= all);
    json_decref(lines);
    json_decref(ids);
    json_decref(texts);
}

static void instructions(void **state) {
    (void)state;
    check_set(LP_SOURCE_DIR "/data/heldout", 25, 80, 480);
    check_set(LP_SOURCE_DIR "/data/development", 10, 20, 180);
}

static void readings(void **state) {
    (void)state;
    json_t *lines = lines_of(LP_TESTS_DIR "/e2e/ocr/truth.jsonl", "image"), *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        check_picture(LP_TESTS_DIR "/e2e/ocr", json_object_get(line, "image"));
        assert_true(json_string_length(json_object_get(line, "text")) > 10);
        assert_true(json_string_length(json_object_get(line, "question")) > 10);
    }
    assert_int_equal(json_array_size(lines), 30);
    json_decref(lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(instructions), cmocka_unit_test(readings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
