/* SPDX-License-Identifier: MIT */
/* Questions about a known picture, and how answers in words are read. */
#include "eval/scene_score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const char *const no_words[] = {NULL}, *const dog_words[] = {"puppy", "hound", NULL}, *const cup_words[] = {"letter", NULL},
                        *const mail_words[] = {"letter", "ice cream van", NULL};
static struct lp_truth_category categories[] = {
    {"dog", "dogs", "animal", dog_words},   {"orange", "oranges", "fruit", no_words},       {"scissors", "scissors", "tool", no_words},
    {"cup", "cups", "thing", cup_words},    {"mail", "mails", "thing", mail_words},         {"ice", "ices", "thing", no_words},
};
/* Two dogs, a red cup right of which are blue scissors. */
static struct lp_truth_object objects[] = {
    {.category = 0, .part_of = -1}, {.category = 0, .part_of = -1},
    {.category = 3, .color = "red", .part_of = -1}, {.category = 2, .color = "blue", .part_of = -1}};
static struct lp_truth_relation relations[] = {{2, 3, "left of"}, {0, 2, "above"}};
static struct lp_truth_picture picture = {.object = objects, .wholes = 4, .objects = 4, .relation = relations, .relations = 2};
static const struct lp_truth truth = {.category = categories, .categories = 6, .picture = &picture, .pictures = 1};

static bool asked(const struct lp_quiz *q, const char *text, const char *answer) {
    return !strcmp(q->text, text) && !strcmp(q->answer, answer);
}

static void questions_have_true_answers(void **state) {
    (void)state;
    int seen[6] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct lp_rng rng;
        struct lp_quiz q[LP_QUESTIONS];
        lp_rng_seed(&rng, seed);
        int n = lp_quiz_make(&truth, &picture, false, &rng, q);
        assert_int_equal(n, 6);
        for (int i = 0; i < n; i++) {
            seen[0] += asked(&q[i], "Is there a dog in the picture?", "Yes");
            seen[1] += asked(&q[i], "Is there an orange in the picture?", "No");
            seen[2] += asked(&q[i], "How many dogs are there in the picture?", "2");
            seen[3] += asked(&q[i], "What color are the scissors?", "blue");
            seen[4] += asked(&q[i], "Is the cup to the left of the scissors?", "Yes");
            seen[5] += asked(&q[i], "Is the cup to the right of the scissors?", "No");
            assert_false(asked(&q[i], "Is there a dog in the picture?", "No"));
            assert_false(strstr(q[i].text, "Are there any dog") || strstr(q[i].text, "a scissors"));
        }
    }
    for (int i = 0; i < 6; i++)
        assert_true(seen[i] > 5);
}

static bool right(enum lp_quiz_kind kind, const char *expected, const char *answer) {
    struct lp_quiz q = {.kind = kind};
    strcpy(q.answer, expected);
    return lp_quiz_right(&q, answer);
}

static void answers_are_read_in_words(void **state) {
    (void)state;
    assert_true(right(LP_ASK_PRESENCE, "Yes", "Yes, there is no doubt."));
    assert_false(right(LP_ASK_PRESENCE, "No", "yes"));
    assert_false(right(LP_ASK_PRESENCE, "No", "Nobody knows."));
    assert_true(right(LP_ASK_COUNT, "3", "There are three dogs, not 2."));
    assert_true(right(LP_ASK_COUNT, "0", "There are no dogs."));
    assert_true(right(LP_ASK_COUNT, "1", "A dog"));
    assert_false(right(LP_ASK_COUNT, "3", "30"));
    assert_true(right(LP_ASK_COLOR, "gray", "It is grey."));
    assert_false(right(LP_ASK_COLOR, "red", "It is reddish."));
    assert_false(right(LP_ASK_COLOR, "red", ""));
}

static struct lp_naming check(const char *caption) {
    struct lp_naming n;
    assert_true(lp_caption_check(&truth, &picture, caption, &n));
    assert_int_equal(n.there, 3);
    return n;
}

static void captions_are_read_by_names(void **state) {
    (void)state;
    struct lp_naming n = check("Two puppies? Two hounds and an orange cup.");
    assert_true(n.named == 2 && n.found == 2 && n.wrong == 0); /* orange is a colour here */
    n = check("A dog eats an orange.");
    assert_true(n.named == 2 && n.found == 1 && n.wrong == 1);
    n = check("An ice cream van."); /* the longest name: no ice */
    assert_true(n.named == 1 && n.wrong == 1);
    n = check("A letter, DOGS, a dog."); /* "letter" may be the cup, which is there; dogs count once */
    assert_true(n.named == 2 && n.found == 2);
    n = check("Hotdogs and a doghouse");
    assert_int_equal(n.named, 0);
    n = check("");
    assert_int_equal(n.named, 0);
}

static void rates_stand_beside_the_majority(void **state) {
    (void)state;
    struct lp_scene_score s = {0};
    for (int i = 0; i < 10; i++) {
        struct lp_quiz q = {.kind = LP_ASK_COUNT};
        strcpy(q.answer, i < 6 ? "1" : "2");
        lp_scene_score_add(&s, &q, i < 9);
    }
    lp_scene_score_caption(&s, &(struct lp_naming){.found = 3, .there = 4, .named = 5, .wrong = 2});
    assert_true(lp_scene_score_rate(&s, LP_ASK_COUNT) == 0.9 && lp_scene_score_majority(&s, LP_ASK_COUNT) == 0.6);
    assert_true(lp_scene_score_named(&s) == 0.75 && lp_scene_score_wrong(&s) == 0.4);
    assert_true(lp_scene_score_rate(&s, LP_ASK_COLOR) == 0);
    json_t *json = lp_scene_score_json(&s);
    assert_non_null(json);
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_have_true_answers),
        cmocka_unit_test(answers_are_read_in_words),
        cmocka_unit_test(captions_are_read_by_names),
        cmocka_unit_test(rates_stand_beside_the_majority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
