/* SPDX-License-Identifier: MIT */
/* The table of skills: what must hold for every one of them. */
#include "base/memory.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *names_of(const struct lp_skill *skill, int i) {
    if (i < 2)
        return i ? skill->api_name : skill->name;
    for (int k = 0; skill->aliases && skill->aliases[k]; k++)
        if (k == i - 2)
            return skill->aliases[k];
    return NULL;
}

static void every_name_finds_its_skill(void **state) {
    (void)state;
    int n = 0;
    for (; lp_skills[n]; n++)
        for (int i = 0; names_of(lp_skills[n], i); i++) {
            assert_ptr_equal(lp_skill_find(names_of(lp_skills[n], i)), lp_skills[n]);
            assert_int_equal(lp_skill_index(lp_skills[n]), n);
        }
    assert_int_equal(n, LP_SKILL_COUNT);
    static const char *const others[] = {"", "OCR", "grounding_dino ", "grounding-dino", "sam2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_null(lp_skill_find(others[i]));
}

static void planners_names_are_the_contract(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"detect", "grounding_dino"},
        {"segment_instances", "grounding_dino+sam"},
        {"segment_semantic", "openseed"},
        {"segment_at", "sam"},
        {"segment_levels", "semantic-sam"},
        {"segment_like", "seem"},
        {"caption", "blip2"},
        {"tag", "ram"},
        {"caption_ground", "blip2+grounding_dino"},
        {"tag_ground", "ram+grounding_dino"},
        {"ocr", "ocr"},
        {"retrieve", "clip"},
        {"generate", "stable-diffusion"},
        {"edit", "instruct-pix2pix"},
        {"inpaint", "inpainting"},
        {"generate_from_layout", "controlnet"},
    };
    for (int i = 0; i < LP_SKILL_COUNT; i++) {
        assert_string_equal(lp_skills[i]->name, pairs[i][0]);
        assert_string_equal(lp_skills[i]->api_name, pairs[i][1]);
    }
    static const char *const aliases[] = {"grounded_sam", "semantic_sam", "easyocr",
                                          "retrieval",    "sd",           "ip2p"};
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        assert_non_null(lp_skill_find(aliases[i]));
}

static void every_skill_is_whole(void **state) {
    (void)state;
    for (int i = 0; lp_skills[i]; i++) {
        const struct lp_skill *skill = lp_skills[i];
        struct lp_error why = {0};
        assert_true(skill->about && skill->about[0]);
        assert_true(skill->leaves != 0);
        assert_true((skill->open == NULL) == (skill->close == NULL));
        if (lp_skill_lacks(skill)) {
            assert_false(lp_skill_ready(skill, &why));
            assert_int_equal(why.code, LP_EMISSING);
            assert_non_null(strstr(why.text, " is not ready on this machine: it needs "));
            assert_non_null(strstr(why.text, lp_skill_lacks(skill)));
        } else {
            assert_true(lp_skill_ready(skill, &why));
            assert_non_null(skill->run);
        }
    }
}

static void every_parameter_is_whole(void **state) {
    (void)state;
    for (int i = 0; lp_skills[i]; i++) {
        const struct lp_param *p, *q;
        int one_of = 0;
        for (int k = 0; (p = lp_skill_param(lp_skills[i], k)); k++) {
            assert_true(p->about && p->about[0]);
            assert_true(p->kind == LP_PARAM_HANDLE || p->most > 0);
            assert_false(p->required && (p->one_of || p->hidden));
            one_of += p->one_of;
            for (int m = 0; m < k; m++) {
                q = lp_skill_param(lp_skills[i], m);
                assert_string_not_equal(p->name, q->name);
            }
        }
        assert_true(one_of == 0 || one_of == 2);
    }
}

static void pictures_come_by_handle(void **state) {
    (void)state;
    for (int i = 0; lp_skills[i]; i++) {
        const struct lp_param *p, *last = NULL;
        for (int k = 0; (p = lp_skill_param(lp_skills[i], k)); k++)
            last = p;
        bool image = last && !strcmp(last->name, "image") && last->handle == LP_OBJECT_IMAGE;
        assert_int_equal(image, (lp_skills[i]->needs & LP_NEEDS_PICTURE) != 0);
    }
}

static void schemas_say_what_is_needed(void **state) {
    (void)state;
    struct lp_error err = {0};
    json_t *schema = lp_skill_schema(lp_skill_find("inpaint"), &err);
    char *text = lp_json_text(schema);
    assert_string_equal(text, "{\"type\":\"object\",\"properties\":{"
                              "\"prompt\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":1000,"
                              "\"description\":\"what shall be there\"},"
                              "\"mask\":{\"type\":\"string\",\"pattern\":\"^mask_[1-9][0-9]{0,5}$\","
                              "\"description\":\"the region to paint anew\"},"
                              "\"image\":{\"type\":\"string\",\"pattern\":\"^img_[1-9][0-9]{0,5}$\","
                              "\"description\":\"the picture to work on, where it is not the newest\"}},"
                              "\"required\":[\"prompt\",\"mask\"],\"additionalProperties\":false}");
    lp_free(text);
    json_decref(schema);
    schema = lp_skill_schema(lp_skill_find("sam"), &err);
    text = lp_json_text(json_object_get(schema, "oneOf"));
    assert_string_equal(text, "[{\"required\":[\"points\"]},{\"required\":[\"boxes\"]}]");
    lp_free(text);
    json_decref(schema);
}

static void schemas_survive_failing_allocations(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        json_t *schema = lp_skill_schema(lp_skill_find("sam"), &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        json_decref(schema);
        if (!failed) {
            assert_non_null(schema);
            break;
        }
        assert_null(schema);
        assert_int_equal(err.code, LP_EMEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_finds_its_skill),
        cmocka_unit_test(planners_names_are_the_contract),
        cmocka_unit_test(every_skill_is_whole),
        cmocka_unit_test(every_parameter_is_whole),
        cmocka_unit_test(pictures_come_by_handle),
        cmocka_unit_test(schemas_say_what_is_needed),
        cmocka_unit_test(schemas_survive_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
