/* SPDX-License-Identifier: MIT */
/* The grammar of a turn: what it takes, what it refuses, what it forces. */
#include "plan/action.h"
#include "plan/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define T LP_MARK_THOUGHTS
#define A LP_MARK_ACTIONS
#define V LP_MARK_VALUE
#define CALL(name, params) "{\"API_name\": \"" name "\", \"API_params\": {" params "}}"

/* How many bytes of `text` the grammar takes. */
static size_t taken(const struct lp_facts *facts, const char *text, struct lp_place *place) {
    struct lp_syntax s;
    assert_true(lp_syntax_init(&s, facts, NULL));
    lp_place_init(place, &s);
    size_t n = 0;
    while (text[n] && lp_place_step(place, &s, (uint8_t)text[n]))
        n++;
    lp_syntax_done(&s);
    return n;
}

static bool takes_actions(const struct lp_facts *facts, const char *actions) {
    char text[4096];
    struct lp_place place;
    snprintf(text, sizeof text, " " T " t\n" A " %s\n" V " v###", actions);
    return taken(facts, text, &place) == strlen(text) && lp_place_ended(&place);
}

/* A picture, nothing else. */
static struct lp_facts one_picture(void) {
    return (struct lp_facts){.have = {[LP_OBJECT_IMAGE] = 1}, .space = true, .stop = "###"};
}

static void takes_what_planners_are_trained_on(void **state) {
    (void)state;
    struct lp_facts f = one_picture();
    static const char *const good[] = {
        "[]",
        "[" CALL("ocr", "") "]",
        "[" CALL("grounding_dino", "\"caption\": \"dog . cat\"") "]",
        "[" CALL("grounding_dino", "\"caption\": \"a \\\"b\\\" \\\\ caf\\u00e9 \\ud83d\\ude80\"") "]",
        "[" CALL("grounding_dino+sam", "\"caption\": \"dog\"") ", " CALL(
            "inpainting", "\"prompt\": \"a cat\", \"mask\": \"mask_1\"") "]",
        "[" CALL("openseed", "") ", " CALL("controlnet", "\"prompt\": \"snow\", \"layout\": \"map_1\"") "]",
        "[" CALL("sam", "\"points\": [[0.5, 0.25], [1.0, 0.0]]") "]",
        "[" CALL("sam", "\"boxes\": [[0.1, 0.2, 0.33, 1.0]]") "]",
        "[" CALL("semantic-sam", "\"points\": [[0.05, 0.9]]") "]",
        "[" CALL("stable-diffusion", "\"prompt\": \"x\"") ", " CALL("ocr", "\"image\": \"img_1\"") "]",
        "[" CALL("ocr", "") ", " CALL("ram", "") ", " CALL("blip2", "") ", " CALL("clip", "") "]",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!takes_actions(&f, good[i]))
            fail_msg("refused: %s", good[i]);
}

static void refuses_what_makes_no_sense(void **state) {
    (void)state;
    struct lp_facts f = one_picture();
    static const char *const bad[] = {
        "",
        "null",
        "{}",
        "[ ]",
        "[" CALL("ocr", "") ",]",
        "[" CALL("unknown", "") "]",
        "[" CALL("grounding_dino", "") "]", /* caption is required */
        "[" CALL("grounding_dino", "\"caption\": \"\"") "]",
        "[" CALL("grounding_dino", "\"caption\": \" \"") "]",
        "[" CALL("grounding_dino", "\"caption\": \"caf\xc3\xa9\"") "]", /* json.dumps escapes it */
        "[" CALL("grounding_dino", "\"caption\": \"\\n\"") "]",
        "[" CALL("grounding_dino", "\"caption\": \"\\u0041\"") "]",
        "[" CALL("grounding_dino", "\"caption\": \"\\ud83d\"") "]",
        "[" CALL("grounding_dino", "\"caption\": \"\\ude80\"") "]",
        "[" CALL("inpainting", "\"prompt\": \"a cat\", \"mask\": \"mask_1\"") "]", /* no mask will be there */
        "[" CALL("sam", "\"points\": [[0.5, 0.5]]") ", " CALL(
            "inpainting", "\"prompt\": \"a cat\", \"mask\": \"mask_2\"") "]",
        "[" CALL("sam", "\"points\": [[0.5, 0.5]]") ", " CALL("inpainting", "\"prompt\": \"a cat\"") "]",
        "[" CALL("sam", "") "]",
        "[" CALL("sam", "\"points\": [[0.5, 0.5]], \"boxes\": [[0.1, 0.1, 0.2, 0.2]]") "]",
        "[" CALL("sam", "\"points\": []") "]",
        "[" CALL("sam", "\"points\": [[0.5, 1.5]]") "]",
        "[" CALL("sam", "\"points\": [[0.5, 0.123]]") "]",
        "[" CALL("sam", "\"points\": [[0.5, 0.10]]") "]",
        "[" CALL("sam", "\"points\": [[0.5]]") "]",
        "[" CALL("sam", "\"boxes\": [\"box_1\"]") "]",
        "[" CALL("seem", "") "]",                    /* no reference came */
        "[" CALL("ocr", "\"image\": \"img_1\"") "]", /* there is only one */
        "[" CALL("controlnet", "\"prompt\": \"snow\", \"layout\": \"map_1\"") "]",
        "[" CALL("ocr", "") ", " CALL("ocr", "") ", " CALL("ocr", "") ", " CALL("ocr", "") ", " CALL("ocr",
                                                                                                     "") "]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (takes_actions(&f, bad[i]))
            fail_msg("took: %s", bad[i]);
}

static void uses_what_the_conversation_holds(void **state) {
    (void)state;
    struct lp_facts none = {.space = true, .stop = "###"};
    assert_false(takes_actions(&none, "[" CALL("ocr", "") "]"));
    assert_true(
        takes_actions(&none, "[" CALL("stable-diffusion", "\"prompt\": \"x\"") ", " CALL("ocr", "") "]"));

    struct lp_facts f = one_picture();
    f.reference = true;
    assert_true(takes_actions(&f, "[" CALL("seem", "") "]"));
    f.points = 2;
    f.point[0] = "[0.45, 0.9]";
    f.point[1] = "[0.1, 0.2]";
    assert_true(takes_actions(&f, "[" CALL("sam", "\"points\": [[0.45, 0.9]]") "]"));
    assert_true(takes_actions(&f, "[" CALL("sam", "\"points\": [[0.45, 0.9], [0.1, 0.2]]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"points\": [[0.45, 0.9], [0.45, 0.9]]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"points\": [[0.4, 0.9]]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"boxes\": [[0.1, 0.1, 0.2, 0.2]]") "]"));

    f = one_picture();
    f.have[LP_OBJECT_BOX] = 12;
    f.have[LP_OBJECT_MASK] = 3;
    f.have[LP_OBJECT_IMAGE] = 2;
    assert_true(takes_actions(&f, "[" CALL("sam", "\"boxes\": [\"box_2\", \"box_12\"]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"boxes\": [\"box_2\", \"box_1\"]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"boxes\": [\"box_13\"]") "]"));
    assert_false(takes_actions(&f, "[" CALL("sam", "\"boxes\": [[0.1, 0.1, 0.2, 0.2]]") "]"));
    assert_true(takes_actions(&f, "[" CALL("inpainting", "\"prompt\": \"x\", \"mask\": \"mask_2\"") "]"));
    assert_true(takes_actions(&f, "[" CALL("ocr", "\"image\": \"img_1\"") "]"));
    f.boxes = 1;
    f.box[0] = "[0.1, 0.2, 0.3, 0.4]";
    assert_true(takes_actions(&f, "[" CALL("sam", "\"boxes\": [[0.1, 0.2, 0.3, 0.4], \"box_3\"]") "]"));

    f = one_picture();
    f.no_tools = true;
    assert_true(takes_actions(&f, "[]"));
    assert_false(takes_actions(&f, "[" CALL("ocr", "") "]"));
}

static void free_texts_stay_free_of_markers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {" " T " na\xc3\xafve \xf0\x9f\x9a\x80 #1\n" A " []\n" V " two\nlines \"x\"###", true},
        {" " T " \n", false},
        {" " T " a\tb", false},
        {" " T " a\xff", false},
        {" " T " a\xc3(", false},
        {" " T " a\xed\xa0\x80", false},
        {" " T " a " A, false},
        {" " T " a \"\"" A, false},
        {" " T " a\n" A " []\n" V " b " V, false},
        {" " T " a\n" A " []\n" V "\n", false},
        {T " a", false},
    };
    struct lp_facts f = one_picture();
    struct lp_place place;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(taken(&f, cases[i].text, &place) == strlen(cases[i].text), cases[i].good);
    f.space = false;
    assert_int_equal(taken(&f, T " a\n" A, &place), strlen(T " a\n" A));
    char text[2048] = " " T " ";
    memset(text + strlen(text), 'a', 1000);
    assert_int_equal(taken(&f, text + 1, &place), strlen(T " ") + LP_SYNTAX_THOUGHTS);
}

static void ends_only_in_the_value(void **state) {
    (void)state;
    struct lp_facts f = one_picture();
    struct lp_place place;
    taken(&f, " " T " a\n" A " []\n", &place);
    assert_false(lp_place_may_end(&place));
    taken(&f, " " T " a\n" A " []\n" V " ", &place);
    assert_false(lp_place_may_end(&place));
    taken(&f, " " T " a\n" A " []\n" V " b\xc3", &place);
    assert_false(lp_place_may_end(&place));
    taken(&f, " " T " a\n" A " []\n" V " b", &place);
    assert_true(lp_place_may_end(&place));
    assert_false(lp_place_ended(&place));
    taken(&f, " " T " a\n" A " []\n" V " b#####", &place);
    assert_true(lp_place_ended(&place));
}

static void forces_what_has_no_choice(void **state) {
    (void)state;
    struct lp_facts f = one_picture();
    f.points = 1;
    f.point[0] = "[0.45, 0.9]";
    static const struct {
        const char *before, *forced;
    } cases[] = {
        {"", " " T " "},
        {" " T " a", ""},
        {" " T " a\n", A " ["},
        {" " T " a\n" A " []", "\n" V " "},
        {" " T " a\n" A " [{", "\"API_name\": \""},
        {" " T " a\n" A " [{\"API_name\": \"oc", "r\", \"API_params\": {}}"},
        {" " T " a\n" A " [{\"API_name\": \"sa", "m\", \"API_params\": {\"points\": [[0.45, 0.9]]}}"},
        {" " T " a\n" A " [{\"API_name\": \"grounding_dino\"", ", \"API_params\": {\"caption\": \""},
    };
    struct lp_syntax s;
    assert_true(lp_syntax_init(&s, &f, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_place place;
        char out[LP_SYNTAX_FORCED + 1];
        lp_place_init(&place, &s);
        for (const char *c = cases[i].before; *c; c++)
            assert_true(lp_place_step(&place, &s, (uint8_t)*c));
        out[lp_syntax_forced(&s, &place, out)] = 0;
        assert_string_equal(out, cases[i].forced);
    }
    lp_syntax_done(&s);
}

static void a_hurry_ends_everything(void **state) {
    (void)state;
    struct lp_facts f = one_picture();
    struct lp_syntax s;
    assert_true(lp_syntax_init(&s, &f, NULL));
    static const struct {
        const char *before, *rest;
    } cases[] = {
        {" " T " a", "\n" A " []\n" V " "},
        {" " T " a\n" A " [{\"API_name\": \"grounding_dino\", \"API_params\": {\"caption\": \"do",
         "\"}}]\n" V " "},
        {" " T " a\n" A " [{\"API_name\": \"sam\", \"API_params\": {\"points\": [[0.1, 0.12",
         "]]}}]\n" V " "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_place place;
        char out[LP_SYNTAX_FORCED + 1];
        lp_place_init(&place, &s);
        for (const char *c = cases[i].before; *c; c++)
            assert_true(lp_place_step(&place, &s, (uint8_t)*c));
        place.hurry = true;
        out[lp_syntax_forced(&s, &place, out)] = 0;
        assert_string_equal(out, cases[i].rest);
    }
    lp_syntax_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_planners_are_trained_on),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(uses_what_the_conversation_holds),
        cmocka_unit_test(free_texts_stay_free_of_markers),
        cmocka_unit_test(ends_only_in_the_value),
        cmocka_unit_test(forces_what_has_no_choice),
        cmocka_unit_test(a_hurry_ends_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
