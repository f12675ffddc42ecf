/* SPDX-License-Identifier: MIT */
/* Counts, rates, and their three forms. */
#include "eval/plan_score.h"

#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int group(const char *name) {
    const struct lp_skill *skill = lp_skill_find(name);
    return skill ? lp_skill_index(skill) : LP_SKILL_COUNT;
}

/* Adds a line that expects `want` (a skill's name or NULL) for which `got` was planned. */
static void add(struct lp_plan_score *s, const char *want, const char *got, enum lp_plan_verdict verdict) {
    json_t *expected = want ? json_pack("[[{s:s}]]", "skill", want) : json_pack("[[]]");
    json_t *actions = got ? json_pack("[{s:s}]", "API_name", got) : json_array();
    lp_plan_score_add(s, expected, actions, verdict);
    json_decref(expected);
    json_decref(actions);
}

static void fill(struct lp_plan_score *s) {
    add(s, "tag", "ram", LP_PLAN_RIGHT);
    add(s, "tag", "blip2", LP_PLAN_WRONG_SKILLS);
    add(s, "detect", "grounding_dino", LP_PLAN_WRONG_ARGUMENTS);
    add(s, "detect", NULL, LP_PLAN_WRONG_SKILLS);
    add(s, "inpaint", "inpainting", LP_PLAN_WRONG_SKILLS); /* the right end of a wrong plan */
    add(s, NULL, NULL, LP_PLAN_RIGHT);
    add(s, NULL, "ram", LP_PLAN_WRONG_SKILLS);
    add(s, NULL, NULL, LP_PLAN_RIGHT);
    add(s, NULL, NULL, LP_PLAN_RIGHT);
}

static void counts(void **state) {
    (void)state;
    struct lp_plan_score s = {0};
    struct lp_plan_rates none = lp_plan_score_rates(&s);
    assert_true(none.skills == 0 && none.needless == 0 && none.lines == 0);
    fill(&s);
    struct lp_plan_rates r = lp_plan_score_rates(&s);
    assert_int_equal(r.lines, 5);
    assert_int_equal(r.none, 4);
    assert_true(fabs(r.skills - 0.4) < 1e-9);
    assert_true(fabs(r.arguments - 0.2) < 1e-9);
    assert_true(fabs(r.missed - 0.2) < 1e-9);
    assert_true(fabs(r.needless - 0.25) < 1e-9);
    assert_int_equal(s.confusion[group("tag")][group("tag")], 1);
    assert_int_equal(s.confusion[group("tag")][group("caption")], 1);
    assert_int_equal(s.confusion[group("detect")][group("none")], 1);
    assert_int_equal(s.confusion[group("inpaint")][LP_PLAN_GROUPS], 1);
    assert_int_equal(s.confusion[group("none")][group("tag")], 1);
}

static void table(void **state) {
    (void)state;
    struct lp_plan_score s = {0};
    struct lp_str out = {0};
    fill(&s);
    lp_plan_score_table(&s, &out);
    const char *text = lp_str_text(&out);
    assert_non_null(strstr(text, "\ndetect                      2   50.0 %      0.0 %   50.0 %\n"));
    assert_non_null(strstr(text, "\nnone                        4   75.0 %\n"));
    assert_non_null(strstr(text, "right skill            40.0 %  of 5 lines (95 % interval 11.8 .. 76.9 %)\n"));
    assert_null(strstr(text, "caption")); /* no lines */
    lp_str_done(&out);
}

static void json(void **state) {
    (void)state;
    struct lp_plan_score s = {0};
    struct lp_error err = {0};
    fill(&s);
    json_t *out = lp_plan_score_json(&s, &err);
    assert_non_null(out);
    int lines, wrong;
    double rate;
    json_t *row;
    assert_int_equal(json_unpack(out, "{s:{s:f}, s:{s:{s:i}, s:{s:i}}, s:{s:{s:o}}}", "rates", "right_skill", &rate,
                                 "skills", "tag", "lines", &lines, "none", "needless", &wrong, "confusion", "rows",
                                 "tag", &row),
                     0);
    assert_true(fabs(rate - 0.4) < 1e-9);
    assert_int_equal(lines, 2);
    assert_int_equal(wrong, 1);
    assert_int_equal(json_array_size(row), LP_PLAN_GROUPS + 1);
    json_decref(out);
    for (long n = 1;; n++) {
        lp_test_fail_alloc(n);
        out = lp_plan_score_json(&s, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(out != NULL, !failed);
        json_decref(out);
        if (!failed)
            break;
    }
}

static void picture(void **state) {
    (void)state;
    struct lp_plan_score s = {0};
    struct lp_error err = {0};
    fill(&s);
    struct lp_image *a = lp_plan_score_picture(&s, &err);
    if (!a)
        fail_msg("%s", err.text);
    size_t bytes = (size_t)a->width * (size_t)a->height * 3, red = 0, green = 0;
    for (size_t i = 0; i < bytes; i += 3) {
        red += a->pixel[i] > a->pixel[i + 1] + 20;
        green += a->pixel[i + 1] > a->pixel[i] + 20;
    }
    assert_true(green > 2 * 1000); /* tag, detect, none on the diagonal: cells of 38 x 38 px */
    assert_true(red > 3 * 1000);
    lp_image_close(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(table),
        cmocka_unit_test(json),
        cmocka_unit_test(picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
