/* SPDX-License-Identifier: MIT */
/* Played skills: perfect ones tell the truth, imperfect ones fall short as often as they are said to. */
#include "data/results.h"

#include "base/memory.h"
#include "data/names.h"
#include "data/told.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const pups[] = {"puppy", NULL}, *const none[] = {NULL};
static struct lp_truth_category categories[] = {{.name = "dog", .plural = "dogs", .supercategory = "animal", .synonym = pups},
                                                {.name = "car", .plural = "cars", .supercategory = "vehicle", .synonym = none},
                                                {.name = "scissors", .plural = "scissors", .supercategory = "tool", .synonym = none},
                                                {.name = "wheel", .plural = "wheels", .supercategory = "part", .synonym = none}};
static struct lp_truth_object objects[] = {
    {.category = 0, .color = "brown", .size = "small", .box = {0, 0, 50, 100}, .part_of = -1},
    {.category = 0, .color = "white", .size = "large", .box = {100, 40, 200, 100}, .part_of = -1},
    {.category = 1, .color = "red", .size = "medium", .box = {40, 20, 120, 60}, .part_of = -1},
    {.category = 3, .box = {50, 50, 60, 60}, .part_of = 2}};
static struct lp_truth_text texts[] = {{"below", {10, 80, 60, 90}}, {"STOP", {10, 10, 60, 20}}};
static const char *captions[] = {"Two dogs and a red car."};
static struct lp_truth_picture picture = {.file = "a.jpg", .width = 200, .height = 100, .object = objects, .wholes = 3, .objects = 4,
                                          .text = texts, .texts = 2, .caption = captions, .captions = 1, .background = "beach"};
static struct lp_truth truth = {categories, 4, &picture, 1};

static void play(struct lp_result *r, const struct lp_imperfection *how, uint64_t seed, const char *task, const char *caption,
                 int made[LP_LEFTS]) {
    struct lp_rng rng;
    struct lp_error err = {0};
    struct lp_stage stage = {.truth = &truth, .how = how, .rng = &rng};
    json_t *params = caption ? json_pack("{s:s}", "caption", caption) : json_object();
    lp_rng_seed(&rng, seed);
    assert_true(lp_result_play(r, &stage, (enum lp_task)lp_task_find(task), params, &picture, false, made, &err));
    json_decref(params);
}

static void phrases_speak_of_objects(void **state) {
    (void)state;
    static const struct {
        const char *phrase;
        int fits; /* bits of the objects */
    } cases[] = {{"dog", 3},      {"dogs", 3},         {"the brown puppy", 1}, {"Puppies on the sofa", 3}, {"animals", 3},
                 {"cat", 0},      {"red car", 4},      {"blue car", 0},        {"big dogs", 2},            {"dog bowl", 0},
                 {"wheels", 8},   {"vehicle", 4},      {"a strange dog", 3},   {"hotdog", 0},              {"things", 15},
                 {"", 0},         {" ", 0},            {"carpet", 0},          {"dog with a red car", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fits = 0;
        for (int k = 0; k < 4; k++)
            fits |= lp_phrase_fits(cases[i].phrase, &truth, &objects[k]) << k;
        if (fits != cases[i].fits)
            fail_msg("'%s' fits %d, not %d", cases[i].phrase, fits, cases[i].fits);
    }
}

static void names_have_numbers(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"dog", "dogs"},     {"box", "boxes"},       {"puppy", "puppies"},
                                           {"snowman", "snowmen"}, {"knife", "knives"}, {"sheep", "sheep"},
                                           {"bus", "buses"},    {"movie", "movies"},    {"glass of milk", "glasses of milk"},
                                           {"scissors", "scissors"}, {"fox", "foxes"},  {"red car", "red cars"},
                                           {"dog on a sofa", "dogs on a sofa"}, {"mongoose", "mongooses"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lp_str many = {0}, one = {0};
        lp_name_plural(pairs[i][0], &many);
        assert_string_equal(lp_str_text(&many), pairs[i][1]);
        lp_name_singular(pairs[i][1], &one);
        if (strcmp(pairs[i][0], "glass of milk"))
            assert_string_equal(lp_str_text(&one), pairs[i][0]);
        lp_str_done(&many);
        lp_str_done(&one);
    }
    struct lp_str s = {0};
    lp_name_counted("dogs", 1, &s);
    lp_name_counted("eye", 1, &s);
    lp_name_counted("dog", 2, &s);
    lp_name_counted("scissors", 1, &s);
    lp_name_counted("dog", 12, &s);
    assert_string_equal(lp_str_text(&s), "a dogan eyetwo dogsscissors12 dogs");
    lp_str_done(&s);
}

static void perfect_skills_tell_the_truth(void **state) {
    (void)state;
    struct lp_result r;
    int made[LP_LEFTS] = {0};
    play(&r, &lp_skills_perfect, 1, "detect", "dogs . blue car . wheel", made);
    assert_int_equal(r.outcome, LP_DONE);
    assert_int_equal(json_array_size(r.boxes), 3);
    assert_string_equal(json_string_value(json_object_get(r.dict, "handles")), "count_1, box_1..box_3");
    assert_int_equal(made[LP_LEFT_BOX], 3);
    struct lp_str s = {0};
    assert_int_equal(lp_told_found(r.phrases, r.scores, 0.35, 1, &s), 3);
    assert_non_null(strstr(lp_str_text(&s), "two dogs"));
    assert_non_null(strstr(lp_str_text(&s), "a wheel"));
    lp_str_cut(&s, 0);
    assert_int_equal(lp_told_missing("dogs . blue car . wheel", r.phrases, r.scores, 0.35, &s), 1);
    assert_string_equal(lp_str_text(&s), "blue car");
    lp_str_done(&s);
    lp_result_done(&r);

    play(&r, &lp_skills_perfect, 1, "detect", "unicorn", made);
    assert_int_equal(r.outcome, LP_EMPTY);
    assert_int_equal(json_array_size(json_object_get(r.dict, "boxes")), 0);
    assert_int_equal(r.first[LP_LEFT_COUNT], 2);
    lp_result_done(&r);

    static const char *const sided[][2] = {{"dogs on the left", "0.00"},   {"dog at the bottom right", "0.50"},
                                           {"dog on the right side", "0.50"}};
    for (int i = 0; i < 3; i++) {
        int before[LP_LEFTS] = {0};
        char x[8];
        play(&r, &lp_skills_perfect, 1, "detect", sided[i][0], before);
        assert_int_equal(json_array_size(r.boxes), 1);
        snprintf(x, sizeof x, "%.2f", json_number_value(json_array_get(json_array_get(r.boxes, 0), 0)));
        assert_string_equal(x, sided[i][1]);
        lp_result_done(&r);
    }

    play(&r, &lp_skills_perfect, 1, "ocr", NULL, made);
    assert_string_equal(json_string_value(json_array_get(r.texts, 0)), "STOP\nbelow");
    assert_string_equal(json_string_value(json_object_get(r.dict, "handles")), "text_1, box_4..box_5");
    lp_result_done(&r);

    play(&r, &lp_skills_perfect, 1, "caption", NULL, made);
    assert_string_equal(json_string_value(json_object_get(r.dict, "caption")), "two dogs and a red car");
    lp_result_done(&r);

    play(&r, &lp_skills_perfect, 1, "tag", NULL, made);
    assert_string_equal(json_string_value(json_object_get(r.dict, "tags")), "dog | car | beach");
    lp_result_done(&r);
}

/* Missed, spurious and weak boxes come about as often as the settings say; boxes stay inside the picture. */
static void imperfect_skills_fall_short(void **state) {
    (void)state;
    struct lp_imperfection how = {.missed = 20, .spurious = 10, .low = 30, .jitter = 3};
    int missed = 0, spurious = 0, weak = 0, sure = 0, alone = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct lp_result r;
        int made[LP_LEFTS] = {0}, real = 0;
        play(&r, &how, seed, "segment_instances", "dog", made);
        for (size_t i = 0; i < json_array_size(r.boxes); i++) {
            const json_t *box = json_array_get(r.boxes, i);
            double score = json_number_value(json_array_get(r.scores, i)), b[4];
            for (size_t k = 0; k < 4; k++)
                b[k] = json_number_value(json_array_get(box, k));
            assert_true(b[0] >= 0 && b[0] < b[2] && b[2] <= 1 && b[1] >= 0 && b[1] < b[3] && b[3] <= 1);
            spurious += score < 0.345;
            weak += score >= 0.345 && score < 0.475;
            sure += score >= 0.475;
            real += score >= 0.345;
        }
        missed += 2 - real;
        assert_int_equal(r.left[LP_LEFT_MASK], json_array_size(r.boxes));
        lp_result_done(&r);
        play(&r, &how, seed, "detect", "unicorn", made);
        alone += json_array_size(r.boxes) == 1;
        lp_result_done(&r);
    }
    assert_in_range(missed, 300, 500);
    assert_in_range(spurious, 60, 160);
    assert_in_range(weak, 380, 580);
    assert_in_range(alone, 150, 250);
    assert_true(sure > weak);
}

static void misread_letters(void **state) {
    (void)state;
    struct lp_imperfection how = {.misread = 200};
    int wrong = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct lp_result r;
        int made[LP_LEFTS] = {0};
        play(&r, &how, seed, "ocr", NULL, made);
        wrong += strcmp(json_string_value(json_array_get(r.texts, 0)), "STOP\nbelow") != 0;
        lp_result_done(&r);
    }
    assert_in_range(wrong, 100, 199);
}

static void what_goes_wrong_says_so(void **state) {
    (void)state;
    struct lp_imperfection how = {.unready = 100};
    struct lp_result r;
    int made[LP_LEFTS] = {0};
    play(&r, &how, 1, "generate", NULL, made);
    assert_int_equal(r.outcome, LP_NOT_READY);
    assert_string_equal(json_string_value(json_object_get(r.dict, "message")),
                        "The stable-diffusion is not ready on this machine: it needs its weights.");
    assert_string_equal(r.what, "its weights");
    assert_int_equal(made[LP_LEFT_IMAGE], 0);
    lp_result_done(&r);
}

static void survives_lack_of_memory(void **state) {
    (void)state;
    static const char *const tasks[] = {"tag_ground", "caption_ground", "ocr", "retrieve"};
    for (size_t t = 0; t < 4; t++)
        for (long n = 1;; n++) {
            struct lp_rng rng;
            struct lp_error err = {0};
            struct lp_stage stage = {.truth = &truth, .how = &lp_skills_imperfect, .rng = &rng};
            struct lp_result r;
            int made[LP_LEFTS] = {0};
            lp_rng_seed(&rng, 4);
            lp_test_fail_alloc(n);
            bool ok = lp_result_play(&r, &stage, (enum lp_task)lp_task_find(tasks[t]), NULL, &picture, false, made, &err);
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            lp_result_done(&r);
            assert_true(ok || err.code == LP_EMEMORY);
            if (ok && !failed)
                break;
            assert_true(n < 5000);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_speak_of_objects),
        cmocka_unit_test(names_have_numbers),
        cmocka_unit_test(perfect_skills_tell_the_truth),
        cmocka_unit_test(imperfect_skills_fall_short),
        cmocka_unit_test(misread_letters),
        cmocka_unit_test(what_goes_wrong_says_so),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
