/* SPDX-License-Identifier: MIT */
/* What answers tell about a detector's boxes is read from their words. */
#include "eval/answer_score.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* at the top left, in the middle, in the middle */
static const float boxes[3][4] = {{0, 0, 0.2f, 0.2f}, {0.4f, 0.4f, 0.6f, 0.6f}, {0.3f, 0.4f, 0.7f, 0.6f}};

static bool right(const char *answer, int n) {
    struct lp_answer_score s = {0};
    bool is = lp_answer_score_add(&s, answer, boxes, n);
    assert_true(s.looked == 1 && s.right == is);
    return is;
}

static void numbers_are_compared(void **state) {
    (void)state;
    assert_true(right("I found three dogs.", 3));
    assert_true(right("3 found: dogs. The boxes are drawn.", 3));
    assert_true(right("Yes, there is a dog.", 1));
    assert_false(right("I found two dogs.", 3));
    assert_false(right("I found 30 dogs.", 3));
    assert_false(right("I found a dog.", 2));
    assert_true(right("There are no dogs in the picture.", 0));
    assert_true(right("I did not find any dogs.", 0));
    assert_true(right("I looked for dogs, but found nothing.", 0));
    assert_false(right("There are no dogs in the picture.", 1));
    assert_false(right("I found a dog.", 0));
}

static void places_are_compared(void **state) {
    (void)state;
    assert_true(right("I found a dog: it is at the top left.", 1));
    assert_true(right("At the top left.", 1));
    assert_false(right("It is at the top.", 1));
    assert_true(right("I see two dogs: one is in the middle and one at the top left.", 2)); /* any order */
    assert_false(right("I see two dogs: one is in the middle and one on the left.", 2));
    assert_false(right("I see two dogs: one is at the top left.", 2)); /* each once */
    assert_true(right("One is at the top left, one in the middle and one in the middle.", 3));
    assert_false(right("I see two dogs: one is at the top left, one in the middle and one in the middle.", 3));
    assert_true(right("I see three dogs; they are all over the picture.", 3));
}

static void who_tells_nothing_is_not_right(void **state) {
    (void)state;
    assert_false(right("The boxes are drawn.", 2));
    assert_false(right("", 0));
}

static void counts_are_kept_apart(void **state) {
    (void)state;
    struct lp_answer_score s = {.asked = 3};
    lp_answer_score_add(&s, "I found a dog: it is on the right.", boxes, 1);
    lp_answer_score_add(&s, "It is at the top left.", boxes, 1);
    json_t *json = lp_answer_score_json(&s);
    assert_non_null(json);
    char *text = lp_json_text(json);
    assert_string_equal(text, "{\"asked\":3,\"looked\":2,\"counted\":1,\"counted_right\":1,\"placed\":2,\"placed_right\":1,\"right\":1}");
    lp_free(text);
    json_decref(json);
}

static void requests_name_what_is_there_and_what_is_not(void **state) {
    (void)state;
    static const char *const none[] = {NULL};
    static struct lp_truth_category categories[] = {{"dog", "dogs", "animal", none}, {"cup", "cups", "thing", none}};
    static struct lp_truth_object dog = {.category = 0, .part_of = -1};
    struct lp_truth_picture shown = {.object = &dog, .wholes = 1, .objects = 1};
    const struct lp_truth truth = {.category = categories, .categories = 2, .picture = &shown, .pictures = 1};
    int dogs = 0, cups = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct lp_rng rng;
        struct lp_str text = {0};
        lp_rng_seed(&rng, seed);
        lp_answer_ask(&truth, &shown, &rng, &text);
        dogs += strstr(lp_str_text(&text), "dogs") != NULL;
        cups += strstr(lp_str_text(&text), "cups") != NULL;
        lp_str_done(&text);
    }
    assert_true(dogs + cups == 100 && dogs > 70 && cups > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_compared),        cmocka_unit_test(places_are_compared),
        cmocka_unit_test(who_tells_nothing_is_not_right), cmocka_unit_test(counts_are_kept_apart),
        cmocka_unit_test(requests_name_what_is_there_and_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
