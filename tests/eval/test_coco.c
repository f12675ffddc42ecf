/* SPDX-License-Identifier: MIT */
/* Average precision and recall, against pycocotools (tests/golden/coco, made by tools/golden/coco.py). */
#include "base/memory.h"
#include "eval/coco_read.h"
#include "eval/coco_score.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const sets[] = {"boxes", "boxes_many", "boxes_tiny", "boxes_id0",
                                   "runs",  "runs_tiny",  "polygons",   "nothing_there"};

static json_t *load(const char *set, const char *part) {
    char path[4096];
    struct lp_error err = {0};
    snprintf(path, sizeof path, LP_TESTS_DIR "/golden/coco/%s.%s.json", set, part);
    json_t *json = lp_json_load(path, &err);
    if (!json)
        fail_msg("%s", err.text);
    return json;
}

/* Reads a set and scores it as a case of NAME.expected.json says. */
static bool run(const char *name, const json_t *how, struct lp_coco *set, struct lp_coco_score *score,
                struct lp_error *err) {
    json_t *truth = load(name, "truth"), *results = load(name, "results"),
           *chosen = json_object_get(how, "chosen");
    bool choice[16] = {false}, ok;
    *set = (struct lp_coco){.masks = json_is_true(json_object_get(how, "masks"))};
    *score = (struct lp_coco_score){0};
    ok = lp_coco_take_truth(set, truth, name, err) && lp_coco_take_results(set, results, name, err);
    for (size_t i = 0; ok && i < json_array_size(chosen); i++)
        choice[lp_coco_find_category(set, json_integer_value(json_array_get(chosen, i)))] = true;
    const struct lp_coco_settings settings = {.most = (int)json_integer_value(json_object_get(how, "most")),
                                              .agnostic = json_is_true(json_object_get(how, "agnostic")),
                                              .chosen = json_is_array(chosen) ? choice : NULL};
    ok = ok && lp_coco_score(set, &settings, score, err);
    json_decref(truth);
    json_decref(results);
    return ok;
}

static void near(const char *set, size_t number, const json_t *list, size_t i, double ours) {
    double theirs = json_number_value(json_array_get(list, i));
    if (!(fabs(ours - theirs) < 1e-6))
        fail_msg("%s, case %zu, number %zu: %.7f, pycocotools has %.7f", set, number, i, ours, theirs);
}

static void equals_pycocotools(void **state) {
    (void)state;
    int rated = 0;
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        json_t *cases = load(sets[s], "expected"), *one;
        size_t i;
        json_array_foreach(cases, i, one) {
            struct lp_coco set;
            struct lp_coco_score score;
            struct lp_error err = {0};
            if (!run(sets[s], one, &set, &score, &err))
                fail_msg("%s", err.text);
            const json_t *stats = json_object_get(one, "stats"), *rows = json_object_get(one, "categories");
            const struct lp_coco_summary m = score.summary;
            const double ours[] = {m.ap,   m.ap50,  m.ap75,    m.ap_small, m.ap_medium, m.ap_large,
                                   m.ar_1, m.ar_10, m.ar_most, m.ar_small, m.ar_medium, m.ar_large};
            for (size_t k = 0; k < 12; k++)
                near(sets[s], i, stats, k, ours[k]);
            assert_int_equal(json_array_size(rows), score.rows);
            for (int k = 0; k < score.rows; k++) {
                const json_t *row = json_array_get(rows, (size_t)k);
                struct lp_coco_summary c = lp_coco_summarize(&score.category[k], 1);
                const double of_row[] = {c.ap,        c.ap50,     c.ap75,   c.ap_small,
                                         c.ap_medium, c.ap_large, c.ar_most};
                int64_t id = score.place[k] < 0 ? -1 : set.category[score.place[k]].id;
                assert_int_equal(json_integer_value(json_array_get(row, 0)), id);
                for (size_t n = 0; n < 7; n++)
                    near(sets[s], i, row, n + 1, of_row[n]);
                rated += c.ap > 0;
            }
            assert_int_equal(score.forgets, !strcmp(sets[s], "boxes_id0") && score.rows != 2);
            lp_coco_score_done(&score);
            lp_coco_done(&set);
        }
        json_decref(cases);
    }
    assert_true(rated > 30); /* the cases are not all trivial */
}

/* What a skill finds goes in without a file. */
static void fed_directly(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_coco set = {.masks = true};
    struct lp_coco_score score;
    const struct lp_coco_settings settings = {.most = 100};
    json_t *truth = json_pack(
        "{s:[{s:i, s:s}], s:[{s:i, s:i, s:i}], s:[{s:i, s:i, s:i, s:f, s:[[i,i,i,i,i,i,i,i]]}]}",
        "categories", "id", 1, "name", "dog", "images", "id", 5, "width", 4, "height", 3, "annotations", "id",
        1, "image_id", 5, "category_id", 1, "area", 4.0, "segmentation", 0, 0, 2, 0, 2, 2, 0, 2);
    assert_true(lp_coco_take_truth(&set, truth, "truth", &err));
    const uint8_t mask[3][4] = {{1, 1, 0, 0}, {1, 0, 0, 0}, {0, 0, 0, 0}}; /* 3 of the 4 px: an iou of 0.75 */
    struct lp_coco_thing thing = {
        .picture = lp_coco_find_picture(&set, 5), .category = 0, .score = 0.9, .area = -1};
    assert_true(lp_rle_from_mask(&thing.mask, mask[0], 4, 3, &err));
    assert_true(lp_coco_add_found(&set, &thing, &err));
    assert_null(thing.mask.run); /* taken */
    assert_true(set.found.thing[0].area == 3 && set.found.thing[0].box[2] == 2);
    assert_true(lp_coco_score(&set, &settings, &score, &err));
    assert_true(fabs(score.summary.ap - 0.6) < 1e-9); /* right at 0.50 .. 0.75: 6 of 10 */
    assert_true(score.summary.ap75 == 1 && score.summary.ap_large == -1);
    assert_true(score.curve[LP_COCO_IOU_75][100] == 1 && score.curve[LP_COCO_IOU_75 + 1][0] == 0);
    lp_coco_score_done(&score);

    struct lp_coco_thing bad = {.picture = 0, .category = 7, .score = 1};
    assert_false(lp_coco_add_found(&set, &bad, &err));
    bad = (struct lp_coco_thing){.score = NAN};
    assert_false(lp_coco_add_found(&set, &bad, &err));
    bad = (struct lp_coco_thing){.score = 1}; /* no mask */
    assert_false(lp_coco_add_found(&set, &bad, &err));
    assert_string_equal(err.text, "its mask is 0 x 0, the picture 4 x 3");
    assert_int_equal(set.found.n, 1);
    lp_coco_done(&set);
    json_decref(truth);
}

/* Progress ends at what there is; nothing found is a score of 0, nothing there none. */
static void tell(void *context, int64_t done, int64_t count) {
    int64_t *told = context;
    assert_true(done > told[0] && done <= count);
    told[0] = done;
    told[1] = count;
}

static void nothing_found(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_coco set = {0};
    struct lp_coco_score score;
    int64_t told[2] = {0};
    const struct lp_coco_settings settings = {.most = 100, .tell = tell, .context = told};
    json_t *truth = load("boxes", "truth"), *none = json_array();
    assert_true(lp_coco_take_truth(&set, truth, "truth", &err) &&
                lp_coco_take_results(&set, none, "none", &err));
    assert_true(lp_coco_score(&set, &settings, &score, &err));
    assert_true(score.summary.ap == 0 && score.summary.ar_most == 0 && score.found == 0);
    assert_true(told[0] > 0 && told[0] == told[1] && told[0] == score.truths + score.crowds);
    assert_true(lp_coco_summarize(score.category, 0).ap == -1);
    lp_coco_score_done(&score);
    lp_coco_done(&set);
    json_decref(truth);
    json_decref(none);
}

static void memory_runs_out(void **state) {
    (void)state;
    json_t *cases = load("polygons", "expected"), *truth = load("polygons", "truth"),
           *results = load("polygons", "results");
    const struct lp_coco_settings settings = {.most = 100};
    bool failed = true;
    for (long n = 1; failed; n += 1 + n / 50) {
        struct lp_error err = {0};
        struct lp_coco set = {.masks = true};
        struct lp_coco_score score = {0};
        lp_test_fail_alloc(n);
        bool ok = lp_coco_take_truth(&set, truth, "truth", &err) &&
                  lp_coco_take_results(&set, results, "results", &err) &&
                  lp_coco_score(&set, &settings, &score, &err);
        failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(ok, !failed);
        assert_true(ok || err.code == LP_EMEMORY);
        lp_coco_score_done(&score);
        lp_coco_done(&set);
    }
    json_decref(cases);
    json_decref(truth);
    json_decref(results);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_pycocotools), cmocka_unit_test(fed_directly),
                                       cmocka_unit_test(nothing_found), cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
