/* SPDX-License-Identifier: MIT */
/* Plans against expectations: what may differ and what may not. */
#include "eval/plan_match.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static json_t *json(const char *text) {
    struct lp_error err = {0};
    json_t *value = lp_json_parse(text, strlen(text), "test", &err);
    if (!value)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static enum lp_plan_verdict match(const char *expected, const char *actions) {
    json_t *want = json(expected), *got = json(actions);
    struct lp_error err = {0};
    enum lp_plan_verdict verdict;
    if (!lp_expected_check(want, &err))
        fail_msg("%s: %s", expected, err.text);
    assert_true(lp_plan_match(want, got, &verdict, &err));
    json_decref(want);
    json_decref(got);
    return verdict;
}

static void words(void **state) {
    (void)state;
    static const struct {
        const char *text, *bare, *full;
    } cases[] = {
        {"The two red Dogs", " red dog ", " two red dog "},
        {"all of the boxes", " box ", " all of box "},
        {"people", " person ", " person "},
        {"a person", " person ", " person "},
        {"wine glasses", " win glass ", " win glass "},
        {"a wine-glass", " win glass ", " win glass "},
        {"the horse's", " hors ", " hors "},
        {"horses", " hors ", " hors "},
        {"cookies", " cooky ", " cooky "},
        {"a cookie", " cooky ", " cooky "},
        {"bus", " bus ", " bus "},
        {"buses", " bus ", " bus "},
        {"caf\xc3\xa9s on the street", " caf\xc3\xa9 on street ", " caf\xc3\xa9 on street "},
        {"...", " ", " "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_str bare = {0}, full = {0};
        lp_plan_words(cases[i].text, strlen(cases[i].text), true, &bare);
        lp_plan_words(cases[i].text, strlen(cases[i].text), false, &full);
        assert_string_equal(lp_str_text(&bare), cases[i].bare);
        assert_string_equal(lp_str_text(&full), cases[i].full);
        lp_str_done(&bare);
        lp_str_done(&full);
    }
}

static void skills(void **state) {
    (void)state;
    static const char two[] = "[[{\"skill\":\"segment_at\"},{\"skill\":\"inpaint\"}],[{\"skill\":\"edit\"}]]";
    static const char at[] = "{\"API_name\":\"sam\",\"API_params\":{\"points\":[[0.5,0.5]]}}";
    static const char paint[] = "{\"API_name\":\"inpainting\",\"API_params\":{\"prompt\":\"x\",\"mask\":\"mask_1\"}}";
    char both[512], swapped[512];
    strcat(strcat(strcat(strcat(strcpy(both, "["), at), ","), paint), "]");
    strcat(strcat(strcat(strcat(strcpy(swapped, "["), paint), ","), at), "]");
    assert_int_equal(match(two, both), LP_PLAN_RIGHT);
    assert_int_equal(match(two, swapped), LP_PLAN_WRONG_SKILLS);
    assert_int_equal(match(two, "[]"), LP_PLAN_WRONG_SKILLS);
    assert_int_equal(match(two, "[{\"API_name\":\"ip2p\",\"API_params\":{\"prompt\":\"x\"}}]"), LP_PLAN_RIGHT);
    assert_int_equal(match("[[]]", "[]"), LP_PLAN_RIGHT);
    assert_int_equal(match("[[]]", both), LP_PLAN_WRONG_SKILLS);
    assert_int_equal(match("[[{\"skill\":\"tag\"}],[]]", "[]"), LP_PLAN_RIGHT);
    assert_int_equal(match(two, "[{\"API_name\":\"nothing\"}]"), LP_PLAN_WRONG_SKILLS);
}

/* Arguments of one call: `params` as expected, what the plan has, whether it is right. */
static void arguments(void **state) {
    (void)state;
    static const struct {
        const char *skill, *api, *want, *got;
        bool right;
    } cases[] = {
        {"detect", "grounding_dino", "{\"caption\":\"dog . red cat\"}", "{\"caption\":\"the red cats . dogs\"}", true},
        {"detect", "grounding_dino", "{\"caption\":\"dog . red cat\"}", "{\"caption\":\"dog\"}", false},
        {"detect", "grounding_dino", "{\"caption\":\"dog\"}", "{\"caption\":\"dog . cat\"}", false},
        {"detect", "grounding_dino", "{\"caption\":\"cat\"}", "{\"caption\":\"red cat\"}", false},
        {"detect", "grounding_dino", "{\"caption\":\"bike|bicycle . dog\"}", "{\"caption\":\"Bicycles . dog\"}", true},
        {"detect", "grounding_dino", "{\"caption\":\"bike|bicycle . dog\"}", "{\"caption\":\"bike . bike\"}", false},
        {"detect", "grounding_dino", "{}", "{\"caption\":\"anything\"}", true},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"contains\":[\"snow|winter\",\"tree\"]}}",
         "{\"prompt\":\"cover the trees with Snow\"}", true},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"contains\":[\"snow|winter\",\"tree\"]}}",
         "{\"prompt\":\"make it winter\"}", false},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"contains\":[\"ice\"]}}", "{\"prompt\":\"a nicer night\"}", false},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"contains\":[\"oil painting\"]}}",
         "{\"prompt\":\"as an oil painting\"}", true},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"contains\":[\"oil painting\"]}}",
         "{\"prompt\":\"a painting of oil\"}", false},
        {"edit", "instruct-pix2pix", "{\"prompt\":{\"lacks\":[\"boat\"]}}", "{\"prompt\":\"boats at sea\"}", false},
        {"edit", "instruct-pix2pix", "{\"prompt\":\"a cat\"}", "{\"prompt\":\"Cat.\"}", true},
        {"segment_at", "sam", "{\"points\":[[0.5,0.4],[0.1,0.2]]}", "{\"points\":[[0.1,0.2],[0.51,0.39]]}", true},
        {"segment_at", "sam", "{\"points\":[[0.5,0.4],[0.1,0.2]]}", "{\"points\":[[0.1,0.2],[0.1,0.2]]}", false},
        {"segment_at", "sam", "{\"points\":[[0.5,0.4]]}", "{\"points\":[[0.5,0.42]]}", false},
        {"segment_at", "sam", "{\"points\":[[0.5,0.4]]}", "{\"points\":[[0.5,0.4],[0.5,0.4]]}", false},
        {"segment_at", "sam", "{\"points\":[[0.5,0.4]]}", "{\"boxes\":[[0.5,0.4,0.6,0.6]]}", false},
        {"segment_at", "sam", "{\"boxes\":[[0.1,0.2,0.3,0.4]]}", "{\"boxes\":[[0.11,0.2,0.3,0.4]]}", true},
        {"segment_at", "sam", "{\"boxes\":[\"box_2\"]}", "{\"boxes\":[\"box_2\"]}", true},
        {"segment_at", "sam", "{\"boxes\":[\"box_2\"]}", "{\"boxes\":[\"box_1\"]}", false},
        {"segment_levels", "semantic-sam", "{\"points\":[[0.5,0.4]]}", "{\"point\":[0.5,0.4]}", true},
        {"inpaint", "inpainting", "{\"mask\":\"mask_1\"}", "{\"prompt\":\"x\",\"mask\":\"mask_1\"}", true},
        {"inpaint", "inpainting", "{\"mask\":\"mask_1\"}", "{\"prompt\":\"x\",\"mask\":\"mask_2\"}", false},
        {"inpaint", "inpainting", "{\"mask\":\"mask_1\"}", "{\"prompt\":\"x\"}", false},
        {"inpaint", "inpainting", "{\"prompt\":{\"contains\":[\"x\"]}}", "{\"mask\":\"mask_1\"}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[512], got[512];
        snprintf(want, sizeof want, "[[{\"skill\":\"%s\",\"params\":%s}]]", cases[i].skill, cases[i].want);
        snprintf(got, sizeof got, "[{\"API_name\":\"%s\",\"API_params\":%s}]", cases[i].api, cases[i].got);
        if ((match(want, got) == LP_PLAN_RIGHT) != cases[i].right)
            fail_msg("%s against %s is not %s", got, want, cases[i].right ? "right" : "wrong");
        if (!cases[i].right)
            assert_int_equal(match(want, got), LP_PLAN_WRONG_ARGUMENTS);
    }
}

static void bad_expectations(void **state) {
    (void)state;
    static const struct {
        const char *expected, *says;
    } cases[] = {
        {"[]", "list of acceptable plans"},
        {"3", "list of acceptable plans"},
        {"[{\"skill\":\"tag\"}]", "must be a list of calls"},
        {"[[\"tag\"]]", "'' is no skill"},
        {"[[{\"skill\":\"juggle\"}]]", "'juggle' is no skill"},
        {"[[{\"skill\":\"tag\",\"params\":[]}]]", "'params' must be an object"},
        {"[[{\"skill\":\"detect\",\"params\":{\"prompt\":\"x\"}}]]", "detect has no parameter 'prompt'"},
        {"[[{\"skill\":\"detect\",\"params\":{\"caption\":3}}]]", "'caption' must be a text"},
        {"[[{\"skill\":\"edit\",\"params\":{\"prompt\":{\"has\":[]}}}]]", "'contains' and 'lacks'"},
        {"[[{\"skill\":\"edit\",\"params\":{\"prompt\":{\"contains\":[3]}}}]]", "'contains' and 'lacks'"},
        {"[[{\"skill\":\"segment_at\",\"params\":{\"points\":\"x\"}}]]", "'points' must be a list of places"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *expected = json(cases[i].expected);
        struct lp_error err = {0};
        assert_false(lp_expected_check(expected, &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, cases[i].says))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].says);
        json_decref(expected);
    }
}

/* The n-th allocation fails, for every n: an error, never a wrong verdict or a leak. */
static void survives_lack_of_memory(void **state) {
    (void)state;
    json_t *want = json("[[{\"skill\":\"detect\",\"params\":{\"caption\":\"bike|bicycle . dog\"}}]]");
    json_t *got = json("[{\"API_name\":\"grounding_dino\",\"API_params\":{\"caption\":\"dogs . bicycles\"}}]");
    for (long n = 1;; n++) {
        struct lp_error err = {0};
        enum lp_plan_verdict verdict;
        lp_test_fail_alloc(n);
        bool done = lp_plan_match(want, got, &verdict, &err), failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(done, !failed);
        if (done) {
            assert_int_equal(verdict, LP_PLAN_RIGHT);
            break;
        }
        assert_int_equal(err.code, LP_EMEMORY);
    }
    json_decref(want);
    json_decref(got);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(skills),
        cmocka_unit_test(arguments),
        cmocka_unit_test(bad_expectations),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
