/* SPDX-License-Identifier: MIT */
/* Calls: what is checked before a skill runs, what stays after it. The skills here are made for the test. */
#include "base/memory.h"
#include "image/image.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int opens, closes;

static void *open_it(struct lp_error *err) {
    void *opened = lp_alloc(1);
    opens += opened != NULL;
    return opened ? opened : (lp_error_memory(err), NULL);
}

static void close_it(void *opened) {
    closes++;
    lp_free(opened);
}

/* Leaves a mask and two boxes; params' prompt "fail" makes it fail after the first box. */
static bool run_it(struct lp_call *call, void *opened, struct lp_error *err) {
    static const float box[4] = {0.25f, 0.25f, 0.75f, 0.5f};
    uint8_t mask[64 * 32] = {1};
    const char *prompt = json_string_value(json_object_get(call->params, "prompt"));
    if (!opened || !lp_objects_add_box(&call->made, box, "one", 0.9f, err))
        return false;
    if (prompt && !strcmp(prompt, "fail"))
        return lp_error_set(err, LP_EINPUT, "it does not please");
    if (json_object_set_new(call->result, "message", json_string("done")))
        return lp_error_memory(err);
    return lp_objects_add_mask(&call->made, 64, 32, mask, NULL, 1, err) &&
           lp_objects_add_box(&call->made, box, "two", 0.8f, err);
}

static const struct lp_param params[] = {
    {.name = "prompt", .kind = LP_PARAM_TEXT, .most = 100, .about = "words"},
    {.name = "mask", .kind = LP_PARAM_HANDLE, .handle = LP_OBJECT_MASK, .about = "a mask"},
    {.name = "boxes", .kind = LP_PARAM_BOXES, .most = 9, .about = "boxes"},
    {.name = NULL},
};
static const struct lp_skill skill = {.name = "probe",
                                      .api_name = "probe",
                                      .about = "tests",
                                      .params = params,
                                      .needs = LP_NEEDS_PICTURE,
                                      .leaves = LP_LEAVES_BOX | LP_LEAVES_MASK,
                                      .open = open_it,
                                      .close = close_it,
                                      .run = run_it};

static void add_picture(struct lp_objects *o, int width, int height) {
    struct lp_error err = {0};
    assert_non_null(lp_objects_add_image(o, lp_image_new(width, height, &err), &err));
}

/* Runs the probe once with parameters in JSON; the caller ends the call. */
static bool probe(struct lp_call *call, struct lp_objects *objects, const char *json, struct lp_error *err) {
    json_t *raw = lp_json_parse(json, strlen(json), "params", err);
    json_t *checked = lp_skill_check(&skill, raw, err);
    json_decref(raw);
    *call = (struct lp_call){.skill = &skill, .params = checked, .objects = objects};
    bool ok = checked && lp_skill_run(call, err);
    json_decref(checked);
    return ok;
}

static void a_call_leaves_its_objects(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_error err = {0};
    struct lp_call call;
    opens = closes = 0;
    add_picture(&objects, 64, 32);
    assert_true(probe(&call, &objects, "{}", &err));
    assert_int_equal(call.first, 1);
    assert_int_equal(call.count, 3);
    char *text = lp_json_text(call.result);
    assert_string_equal(text, "{\"message\":\"done\",\"handles\":\"box_1..box_2, mask_1\"}");
    lp_free(text);
    assert_string_equal(json_string_value(json_object_get(call.report, "skill")), "probe");
    struct lp_image *drawn = lp_call_annotate(&call, &err);
    assert_non_null(drawn);
    assert_int_equal(drawn->width, 64);
    assert_memory_not_equal(drawn->pixel, call.picture->pixel, 64 * 32 * 3);
    lp_image_close(drawn);
    lp_call_done(&call);
    assert_true(probe(&call, &objects, "{\"mask\": \"mask_1\", \"boxes\": [\"box_2\"]}", &err));
    assert_non_null(lp_objects_find(&objects, "box_4"));
    assert_non_null(lp_objects_find(&objects, "mask_2"));
    lp_call_done(&call);
    assert_int_equal(opens, 2);
    assert_int_equal(closes, 2);
    lp_objects_done(&objects);
}

static void a_failed_call_leaves_nothing(void **state) {
    (void)state;
    static const struct {
        const char *params, *says;
    } cases[] = {
        {"{\"prompt\": \"fail\"}", "it does not please"},
        {"{\"mask\": \"mask_1\"}", "there is no mask_1 in this conversation"},
        {"{\"boxes\": [[0,0,1,1], \"box_7\"]}", "there is no box_7 in this conversation"},
        {"{\"image\": \"img_2\"}", "there is no img_2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_objects objects = {0};
        struct lp_error err = {0};
        struct lp_call call;
        add_picture(&objects, 64, 32);
        assert_false(probe(&call, &objects, cases[i].params, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_equal(objects.n, 1);
        lp_call_done(&call);
        lp_objects_done(&objects);
    }
}

static void the_picture_is_the_newest_or_the_named(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_error err = {0};
    struct lp_call call;
    assert_false(probe(&call, &objects, "{}", &err));
    assert_non_null(strstr(err.text, "needs a picture"));
    lp_call_done(&call);
    add_picture(&objects, 64, 32);
    add_picture(&objects, 10, 10);
    assert_true(probe(&call, &objects, "{}", &err));
    assert_int_equal(call.picture->width, 10);
    lp_call_done(&call);
    assert_true(probe(&call, &objects, "{\"image\": \"img_1\"}", &err));
    assert_int_equal(call.picture->width, 64);
    lp_call_done(&call);
    lp_objects_done(&objects);
}

static void what_is_not_ready_says_so(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_error err = {0};
    struct lp_call call = {.skill = lp_skill_find("segment_semantic"), .objects = &objects};
    assert_false(lp_skill_run(&call, &err));
    assert_int_equal(err.code, LP_EMISSING);
    assert_string_equal(err.text,
                        "segment_semantic is not ready on this machine: it needs OpenSeeD weights "
                        "(openseed_ade20k_swinl.pt, converted)");
    lp_call_done(&call);
}

static void a_canceled_call_does_not_run(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_error err = {0};
    atomic_bool cancel = true;
    add_picture(&objects, 4, 4);
    struct lp_call call = {.skill = &skill, .objects = &objects, .cancel = &cancel};
    assert_false(lp_skill_run(&call, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    assert_int_equal(objects.n, 1);
    lp_call_done(&call);
    lp_objects_done(&objects);
}

static void failing_allocations(void **state) {
    (void)state;
    for (long n = 1;; n++) {
        struct lp_objects objects = {0};
        struct lp_error err = {0};
        add_picture(&objects, 64, 32);
        struct lp_call call = {.skill = &skill, .objects = &objects};
        lp_test_fail_alloc(n);
        bool ok = lp_skill_run(&call, &err);
        struct lp_image *drawn = ok ? lp_call_annotate(&call, &err) : NULL;
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(failed, err.code != LP_OK);
        assert_int_equal(objects.n, ok ? 4 : 1);
        lp_image_close(drawn);
        lp_call_done(&call);
        lp_objects_done(&objects);
        if (!failed)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_leaves_its_objects),
        cmocka_unit_test(a_failed_call_leaves_nothing),
        cmocka_unit_test(the_picture_is_the_newest_or_the_named),
        cmocka_unit_test(what_is_not_ready_says_so),
        cmocka_unit_test(a_canceled_call_does_not_run),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
