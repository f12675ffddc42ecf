/* SPDX-License-Identifier: MIT */
/* Reading planners' text and writing training text. */
#include "base/memory.h"
#include "plan/action.h"
#include "text/literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define T LP_MARK_THOUGHTS
#define A LP_MARK_ACTIONS
#define V LP_MARK_VALUE

static void check(const char *text, size_t n, const char *thoughts, const char *actions, const char *value,
                  bool bad) {
    struct lp_plan plan;
    struct lp_error err = {0};
    assert_true(lp_plan_parse(text, n, &plan, &err));
    assert_string_equal(plan.thoughts, thoughts);
    assert_string_equal(plan.value, value);
    char *json = json_dumps(plan.actions, JSON_COMPACT);
    assert_string_equal(json, actions);
    assert_int_equal(plan.bad_actions, bad);
    lp_free(json);
    lp_plan_done(&plan);
}

static void reads_what_planners_write(void **state) {
    (void)state;
    static const struct {
        const char *text, *thoughts, *actions, *value;
        bool bad;
    } cases[] = {
        {T " I see. \n" A " []\n" V " Yes.\n", "I see.", "[]", "Yes.", false},
        {T " a\n" A " [{\"API_name\": \"ocr\", \"API_params\": {}}]\n" V " b", "a",
         "[{\"API_name\":\"ocr\",\"API_params\":{}}]", "b", false},
        {"plain answer\n", "", "[]", "plain answer", false},
        {"", "", "[]", "", false},
        {T " only thoughts", "", "[]", T " only thoughts", false},
        {V " v " A " [] " T " t", "", "[]", V " v " A " [] " T " t", false},
        /* first thoughts, last value, last actions between */
        {T " 1 " T " 2 " A " x " A " [] " V " 3 " V " 4", "1 " T " 2 " A " x", "[]", "4", true},
        {T " t " A " [] " V " v " A " [1]", "t", "[]", "v " A " [1]", false},
        {T " t " A " null " V " v", "t", "[]", "v", false},
        {T " t " A "  " V " v", "t", "[]", "v", false},
        /* notations */
        {T A "{'API_name': 'sam', 'API_params': {'points': [[0.5, 0.25]], 'on': True, 'off': None}}" V, "",
         "[{\"API_name\":\"sam\",\"API_params\":{\"points\":[[0.5,0.25]],\"on\":true,\"off\":null}}]", "",
         false},
        {T A "[{'API_name': 'detect', 'API_params': {'caption': 'the dog's ball'}}]" V, "",
         "[{\"API_name\":\"detect\",\"API_params\":{\"caption\":\"the dog's ball\"}}]", "", false},
        {T A "[{'API_name': \"x\", 'API_params': {'caption': 'it\\'s \\u00e9 \\ud83d\\ude80 \\x41\\n'}},]" V,
         "", "[{\"API_name\":\"x\",\"API_params\":{\"caption\":\"it's \xc3\xa9 \xf0\x9f\x9a\x80 A\\n\"}}]",
         "", false},
        {T A "({'API_name': 'x', 'API_params': {'boxes': ((0, 1, -2e1, 3),)}},)" V, "",
         "[{\"API_name\":\"x\",\"API_params\":{\"boxes\":[[0,1,-20.0,3]]}}]", "", false},
        /* what is tolerated */
        {T A "[{\"value\": \"stray\", \"API_name\": \" ocr \"}]" V, "",
         "[{\"API_name\":\"ocr\",\"API_params\":{}}]", "", false},
        {T A "[{\"API_name\": \"ocr\", \"API_params\": null}]" V, "",
         "[{\"API_name\":\"ocr\",\"API_params\":{}}]", "", false},
        {T A "[{\"API_name\": \"a\", \"API_params\": {\"image\": \"/etc/passwd\"}},"
             "{\"API_name\": \"b\", \"API_params\": {\"image\": \"img_2\"}}]" V,
         "",
         "[{\"API_name\":\"a\",\"API_params\":{}},{\"API_name\":\"b\",\"API_params\":{\"image\":\"img_2\"}}]",
         "", false},
        {T A "[{\"API_name\": \"a\", \"API_params\": {\"caption\": \"x\", \"caption\": \"y\"}}]" V, "",
         "[{\"API_name\":\"a\",\"API_params\":{\"caption\":\"y\"}}]", "", false},
        /* what is dropped, and said so */
        {T A "[1, {\"API_name\": 3}, {\"API_name\": \"\"}, {\"API_name\": \"ocr\"}]" V, "",
         "[{\"API_name\":\"ocr\",\"API_params\":{}}]", "", true},
        {T " t " A " __import__('os').system('ls') " V " v", "t", "[]", "v", true},
        {T " t " A " \"ocr\" " V " v", "t", "[]", "v", true},
        {T " t " A " [{\"API_name\": \"ocr\" " V " v", "t", "[]", "v", true},
        {T " t " A " [] [] " V " v", "t", "[]", "v", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].text, strlen(cases[i].text), cases[i].thoughts, cases[i].actions, cases[i].value,
              cases[i].bad);
}

static void broken_bytes_become_replacement_characters(void **state) {
    (void)state;
    static const char text[] = "a\0b\xff\xc3(\xed\xa0\x80";
    check(text, sizeof text - 1, "", "[]",
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
          false);
}

static void deep_and_long_input_is_refused_quietly(void **state) {
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct lp_str s = {0};
        lp_str_puts(&s, T " t " A);
        for (int i = 0; i < 1 << 16; i++)
            lp_str_puts(&s, kind == 0 ? "[" : kind == 1 ? "{'a':" : kind == 2 ? "('" : A);
        lp_str_puts(&s, V " v");
        struct lp_plan plan;
        assert_true(lp_plan_parse(lp_str_text(&s), s.n, &plan, NULL));
        assert_int_equal(json_array_size(plan.actions), 0);
        assert_string_equal(plan.value, "v");
        assert_int_equal(plan.bad_actions, kind != 3);
        lp_plan_done(&plan);
        lp_str_done(&s);
    }
}

static void writes_the_training_text(void **state) {
    (void)state;
    json_t *actions = json_pack("[{s:s, s:{s:s}}]", "API_name", "grounding_dino", "API_params", "caption",
                                "caf\xc3\xa9 . \xf0\x9f\x9a\x80");
    struct lp_str s = {0};
    lp_plan_format(&s, "I look.", actions, "Wait.");
    assert_string_equal(lp_str_text(&s),
                        T " I look.\n" A " [{\"API_name\": \"grounding_dino\", \"API_params\": {\"caption\": "
                          "\"caf\\u00e9 . \\ud83d\\ude80\"}}]\n" V " Wait.\n");
    lp_str_cut(&s, 0);
    lp_plan_format(&s, NULL, NULL, "old answer");
    assert_string_equal(lp_str_text(&s), V " old answer\n");
    lp_str_done(&s);
    json_decref(actions);
}

static void a_written_plan_reads_back(void **state) {
    (void)state;
    json_t *actions = json_pack("[{s:s, s:{s:s, s:[[f,f]]}}]", "API_name", "sam", "API_params", "prompt",
                                "a \"quoted\" \\ 'thing'\n", "points", 0.25, 1.0);
    struct lp_str s = {0};
    lp_plan_format(&s, "t", actions, "v");
    struct lp_plan plan;
    assert_true(lp_plan_parse(lp_str_text(&s), s.n, &plan, NULL));
    assert_true(json_equal(plan.actions, actions));
    lp_plan_done(&plan);
    lp_str_done(&s);
    json_decref(actions);
}

static void literals_name_what_is_wrong(void **state) {
    (void)state;
    static const char *const wrong[] = {"",      "[1 2]", "{1: 2}", "{'a' 1}", "{'a': 1 'b': 2}",
                                        "'open", "truth", "1e999",  "--",      "[1",
                                        "{'a':", "1 2",   "]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct lp_error err = {0};
        assert_null(lp_literal_parse(wrong[i], strlen(wrong[i]), &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, "the actions are neither"));
    }
}

static void every_failing_allocation_is_an_error(void **state) {
    (void)state;
    static const char text[] = T " t " A "[{'API_name': 'x', 'API_params': {'a': ['b', 1, 2.5, {'c': None}], "
                                 "'image': 'no'}}, {\"API_name\": \"ocr\"}]" V " v\xff";
    for (long n = 1;; n++) {
        lp_test_fail_alloc(n);
        struct lp_plan plan;
        struct lp_error err = {0};
        bool done = lp_plan_parse(text, sizeof text - 1, &plan, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        lp_plan_done(&plan);
        assert_int_equal(done, !failed);
        assert_int_equal(err.code, failed ? LP_EMEMORY : LP_OK);
        if (!failed)
            return;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_planners_write),
        cmocka_unit_test(broken_bytes_become_replacement_characters),
        cmocka_unit_test(deep_and_long_input_is_refused_quietly),
        cmocka_unit_test(writes_the_training_text),
        cmocka_unit_test(a_written_plan_reads_back),
        cmocka_unit_test(literals_name_what_is_wrong),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
