/* SPDX-License-Identifier: MIT */
/* Parameters as planners, users and released dialogues write them. */
#include "base/memory.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* `normal` NULL: refused with a sentence that holds `says`. */
static const struct {
    const char *skill, *params, *normal, *says;
} cases[] = {
    {"detect", "{\"caption\": \"dog . cat\"}", "{\"caption\":\"dog . cat\"}", NULL},
    {"detect", "{\"caption\": \"  dog \\n\", \"box_threshold\": 0.3, \"text_threshold\": 0.25}",
     "{\"caption\":\"dog\"}", NULL},
    {"detect", "{\"image\": \"img_2\", \"caption\": \"dog\"}", "{\"caption\":\"dog\",\"image\":\"img_2\"}",
     NULL},
    {"detect", "{\"image\": \"/tmp/x.png\", \"caption\": \"dog\"}", "{\"caption\":\"dog\"}", NULL},
    {"detect", "{\"image\": null, \"caption\": \"dog\"}", "{\"caption\":\"dog\"}", NULL},
    {"detect", "{\"image\": 7, \"caption\": \"dog\"}", "{\"caption\":\"dog\"}", NULL},
    {"detect", "{}", NULL, "'caption' is missing"},
    {"detect", "{\"caption\": \" \"}", NULL, "'caption' is empty"},
    {"detect", "{\"caption\": 3}", NULL, "'caption' must be a text"},
    {"detect", "{\"caption\": null}", NULL, "'caption' is missing"},
    {"detect", "[1]", NULL, "must be an object"},
    {"detect", "\"caption\"", NULL, "must be an object"},
    {"caption", "null", "{}", NULL},
    {"caption", "{}", "{}", NULL},
    {"generate", "{\"prompt\": \"a house\", \"image\": \"img_1\"}", "{\"prompt\":\"a house\"}", NULL},
    {"generate_from_layout", "{\"prompt\": {\"caption\": \"a street\"}, \"layout\": \"map_1\"}",
     "{\"prompt\":\"a street\",\"layout\":\"map_1\"}", NULL},
    {"generate_from_layout", "{\"prompt\": {\"text\": \"a street\"}}", NULL, "'prompt' must be a text"},
    {"generate_from_layout", "{\"prompt\": \"a\", \"layout\": \"mask_1\"}", NULL,
     "'layout' must be the handle of a map"},
    {"inpaint", "{\"mask\": \"mask_12\", \"prompt\": \"a cat\"}",
     "{\"prompt\":\"a cat\",\"mask\":\"mask_12\"}", NULL},
    {"inpaint", "{\"prompt\": \"a cat\"}", "{\"prompt\":\"a cat\"}", NULL},
    {"inpaint", "{\"prompt\": \"a cat\", \"mask\": \"mask_0\"}", NULL, "'mask' must be the handle of a mask"},
    {"inpaint", "{\"prompt\": \"a cat\", \"mask\": {\"size\": [1, 1]}}", NULL, "'mask' must be the handle"},
    {"segment_at", "{\"points\": [0.5, 0.25]}", "{\"points\":[[0.5,0.25]]}", NULL},
    {"segment_at", "{\"points\": [[0, 1], [0.5, 0.25]]}", "{\"points\":[[0.0,1.0],[0.5,0.25]]}", NULL},
    {"segment_at", "{\"points\": [[[0.5, 0.25]]], \"point_labels\": [[1]]}",
     "{\"points\":[[0.5,0.25]],\"point_labels\":[1]}", NULL},
    {"segment_at", "{\"boxes\": [0, 0, 0.5, 1]}", "{\"boxes\":[[0.0,0.0,0.5,1.0]]}", NULL},
    {"segment_at", "{\"boxes\": [[0.5, 1, 0.25, 0]]}", "{\"boxes\":[[0.25,0.0,0.5,1.0]]}", NULL},
    {"segment_at", "{\"boxes\": \"box_1\"}", "{\"boxes\":[\"box_1\"]}", NULL},
    {"segment_at", "{\"boxes\": [\"box_1\", [0, 0, 1, 1]], \"points\": []}",
     "{\"boxes\":[\"box_1\",[0.0,0.0,1.0,1.0]]}", NULL},
    {"segment_at", "{\"boxes\": [[0, 0, 1, 1]], \"point_labels\": [1]}", "{\"boxes\":[[0.0,0.0,1.0,1.0]]}",
     NULL},
    {"segment_at", "{\"boxes\": [\"mask_1\"]}", NULL, "handle of a box"},
    {"segment_at", "{}", NULL, "exactly one of 'points' and 'boxes'"},
    {"segment_at", "{\"points\": [[0.5, 0.5]], \"boxes\": [[0, 0, 1, 1]]}", NULL, "exactly one of"},
    {"segment_at", "{\"points\": [[0.5, 0.5]], \"point_labels\": [1, 0]}", NULL, "one item for each point"},
    {"segment_at", "{\"points\": [[0.5, 0.5]], \"point_labels\": [2]}", NULL, "a list of 1 and 0"},
    {"segment_at", "{\"points\": [[0.5, 1.5]]}", NULL, "numbers from 0 to 1"},
    {"segment_at", "{\"points\": [[0.5]]}", NULL, "points [x,y]"},
    {"segment_at", "{\"points\": [[0.5, \"x\"]]}", NULL, "points [x,y]"},
    {"segment_at", "{\"points\": \"0.5,0.5\"}", NULL, "points [x,y]"},
    {"segment_at", "{\"points\": [[[[[[[[0.5, 0.5]]]]]]]]}", NULL, "points [x,y]"},
    {"segment_at", "{\"points\": {\"x\": 0.5}}", NULL, "points [x,y]"},
    {"segment_at", "{\"boxes\": [[0, 0, 1]]}", NULL, "boxes [x0,y0,x1,y1]"},
    {"segment_levels", "{\"point\": [0.5, 0.25]}", "{\"points\":[[0.5,0.25]]}", NULL},
    {"segment_levels", "{\"points\": []}", NULL, "'points' is missing"},
};

static json_t *check(size_t i, struct lp_error *err) {
    json_t *params = lp_json_parse(cases[i].params, strlen(cases[i].params), "case", err);
    json_t *out = lp_skill_check(lp_skill_find(cases[i].skill), params, err);
    json_decref(params);
    return out;
}

static void normal_forms_and_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        json_t *out = check(i, &err);
        if (cases[i].normal) {
            char *text = lp_json_text(out);
            if (!out)
                fail_msg("%s: %s", cases[i].params, err.text);
            assert_string_equal(text, cases[i].normal);
            lp_free(text);
        } else {
            assert_null(out);
            assert_int_equal(err.code, LP_EINPUT);
            if (!strstr(err.text, cases[i].says))
                fail_msg("%s: %s", cases[i].params, err.text);
        }
        json_decref(out);
    }
}

/* A normal form is its own normal form. */
static void checking_twice_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        json_t *once = check(i, &err);
        if (!once)
            continue;
        json_t *twice = lp_skill_check(lp_skill_find(cases[i].skill), once, &err);
        assert_true(json_equal(once, twice));
        json_decref(once);
        json_decref(twice);
    }
}

static void lists_and_texts_have_a_limit(void **state) {
    (void)state;
    struct lp_error err = {0};
    json_t *points = json_array();
    for (int i = 0; i < 65; i++)
        json_array_append_new(points, json_pack("[f,f]", 0.5, 0.5));
    json_t *params = json_pack("{s:o}", "points", points);
    assert_null(lp_skill_check(lp_skill_find("sam"), params, &err));
    assert_non_null(strstr(err.text, "more than 64 items"));
    json_array_remove(points, 0);
    json_t *out = lp_skill_check(lp_skill_find("sam"), params, &err);
    assert_int_equal(json_array_size(json_object_get(out, "points")), 64);
    json_decref(out);
    json_decref(params);
    char long_text[1002];
    memset(long_text, 'a', 1001);
    long_text[1001] = 0;
    params = json_pack("{s:s}", "caption", long_text);
    assert_null(lp_skill_check(lp_skill_find("detect"), params, &err));
    assert_non_null(strstr(err.text, "longer than 1000 bytes"));
    json_decref(params);
}

static void failing_allocations(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        json_t *params = lp_json_parse(cases[i].params, strlen(cases[i].params), "case", &err);
        for (long n = 1;; n++) {
            lp_test_fail_alloc(n);
            json_t *out = lp_skill_check(lp_skill_find(cases[i].skill), params, &err);
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            json_decref(out);
            if (!failed)
                break;
            assert_null(out);
            assert_int_equal(err.code, LP_EMEMORY);
        }
        json_decref(params);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms_and_refusals),
        cmocka_unit_test(checking_twice_changes_nothing),
        cmocka_unit_test(lists_and_texts_have_a_limit),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
