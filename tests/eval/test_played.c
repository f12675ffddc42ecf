/* SPDX-License-Identifier: MIT */
/* Skills played from the truth look like skills: dict, handles, objects. */
#include "eval/played.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "image/image.h"

#define SCENES LP_TESTS_DIR "/data/scenes"

/* Runs a skill on picture `number`; the call's result is the caller's. */
static bool run(struct lp_played *played, const struct lp_truth *truth, const char *skill, json_t *params, struct lp_call *call,
                struct lp_objects *objects, struct lp_error *err) {
    static uint8_t pixel[3];
    static struct lp_image image = {.width = 1, .height = 1, .pixel = pixel};
    lp_played_picture(played, &truth->picture[0], 5);
    *call = (struct lp_call){.skill = lp_skill_find(skill), .params = params, .objects = objects, .picture = &image,
                             .play = lp_played_play(played)};
    return lp_skill_run(call, err);
}

static void perfect_skills_tell_the_truth(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_truth *truth = lp_truth_open(SCENES, &err);
    struct lp_played *played = truth ? lp_played_open(truth, false, &err) : NULL;
    assert_non_null(played);
    const struct lp_truth_picture *p = &truth->picture[0];
    int category = p->object[0].category, n = lp_truth_count(p, category);
    struct lp_objects objects = {0};
    struct lp_call call;
    json_t *params = json_pack("{s:s}", "caption", truth->category[category].name);
    assert_true(run(played, truth, "detect", params, &call, &objects, &err));
    assert_int_equal(json_array_size(json_object_get(call.result, "boxes")), n);
    assert_int_equal(lp_objects_count(&objects, LP_OBJECT_BOX), n);
    assert_int_equal(lp_objects_find(&objects, "count_1")->count, n);
    assert_non_null(json_object_get(call.result, "handles"));
    const struct lp_object *box = lp_objects_find(&objects, "box_1");
    bool fits = false;
    for (int i = 0; i < p->wholes; i++) /* hundredths */
        fits |= p->object[i].category == category && box->box[0] * (float)p->width > p->object[i].box[0] - 2 &&
                box->box[0] * (float)p->width < p->object[i].box[0] + 2;
    assert_true(fits);
    lp_call_done(&call);
    assert_true(run(played, truth, "tag", NULL, &call, &objects, &err));
    assert_non_null(strstr(json_string_value(json_object_get(call.result, "tags")), truth->category[category].name));
    lp_call_done(&call);
    json_decref(params);
    lp_objects_done(&objects);
    lp_played_close(played);
    lp_truth_close(truth);
}

static void imperfect_skills_repeat_themselves_and_fail_at_times(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_truth *truth = lp_truth_open(SCENES, &err);
    struct lp_played *played = truth ? lp_played_open(truth, true, &err) : NULL;
    assert_non_null(played);
    struct lp_objects objects = {0};
    struct lp_call a, b;
    assert_true(run(played, truth, "caption", NULL, &a, &objects, &err));
    assert_true(run(played, truth, "caption", NULL, &b, &objects, &err));
    assert_string_equal(json_string_value(json_object_get(a.result, "caption")),
                        json_string_value(json_object_get(b.result, "caption")));
    lp_call_done(&a);
    lp_call_done(&b);
    assert_false(run(played, truth, "segment_semantic", NULL, &a, &objects, &err));
    assert_int_equal(err.code, LP_EMISSING);
    lp_call_done(&a);
    lp_objects_done(&objects);
    lp_played_close(played);
    lp_truth_close(truth);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_skills_tell_the_truth),
        cmocka_unit_test(imperfect_skills_repeat_themselves_and_fail_at_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
