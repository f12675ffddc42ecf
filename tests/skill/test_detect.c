/* SPDX-License-Identifier: MIT */
/* Boxes and masks of what a caption names, by random-weight miniatures of Grounding DINO and SAM: what calls
 * leave and report. That boxes are the right ones is
 * tests/model/test_grounding_dino.c's. */
#include "base/memory.h"
#include "image/image.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/dino_folder.h"

enum { WIDTH = 93, HEIGHT = 61, TOLD = 12 };

static char models[64], dino[64];
static struct lp_bench *bench;
static struct lp_image *picture;

static void link_as(const char *name, const char *to) {
    char link[128];
    snprintf(link, sizeof link, "%s/%s", models, name);
    unlink(link);
    if (symlink(to, link))
        abort();
}

static int start(void **state) {
    (void)state;
    folder_make(models);
    dino_folder_make(dino, "dino_hf", NULL, NULL);
    link_as("grounding-dino", dino);
    link_as("sam", LP_TESTS_DIR "/golden/sam_hf");
    setenv("LLAVA_PLUS_MODELS", models, 1);
    bench = lp_bench_open(NULL);
    picture = lp_image_new(WIDTH, HEIGHT, NULL);
    for (int i = 0; picture && i < WIDTH * HEIGHT * 3; i++)
        picture->pixel[i] = (uint8_t)(i * 31 % 251);
    return !bench || !picture;
}

static int finish(void **state) {
    (void)state;
    folder_remove(models);
    folder_remove(dino);
    lp_image_close(picture);
    lp_bench_close(bench);
    return 0;
}

/* Runs a skill with a caption on the picture; the caller ends the call and its objects. */
static bool run(struct lp_call *call, const char *skill, struct lp_objects *objects, const char *caption,
                const atomic_bool *cancel, struct lp_error *err) {
    json_t *raw = json_pack("{s:s}", "caption", caption);
    *call = (struct lp_call){.skill = lp_skill_find(skill),
                             .objects = objects,
                             .picture = picture,
                             .bench = bench,
                             .cancel = cancel};
    json_t *params = lp_skill_check(call->skill, raw, err);
    call->params = params;
    bool ok = params && lp_skill_run(call, err);
    call->params = NULL;
    json_decref(params);
    json_decref(raw);
    return ok;
}

static double number(const json_t *list, int i, int k) {
    return json_number_value(json_array_get(json_array_get(list, (size_t)i), (size_t)k));
}

/* Box i is the same as an object, in the result where it is told of, and in the report. */
static void check_box(const struct lp_call *call, int i) {
    const struct lp_object *o = call->objects->item[call->first + i];
    const json_t *boxes = json_object_get(call->report, "boxes"),
                 *told = json_object_get(call->result, "boxes");
    assert_int_equal(o->kind, LP_OBJECT_BOX);
    for (int k = 0; k < 4; k++) {
        assert_true(o->box[k] >= 0 && o->box[k] <= 1);
        assert_true(fabs(number(boxes, i, k) - o->box[k] * (k % 2 ? HEIGHT : WIDTH)) < 0.006);
        assert_true(i >= TOLD || fabs(number(told, i, k) - o->box[k]) < 0.0051);
    }
    const char *phrase =
        json_string_value(json_array_get(json_object_get(call->report, "phrases"), (size_t)i));
    assert_string_equal(o->text, phrase);
    assert_true(phrase[0] != ' ' && !strchr(phrase, '.'));
    double score = json_number_value(json_array_get(json_object_get(call->report, "scores"), (size_t)i));
    assert_true(fabs(score - o->score) < 0.0001 && o->score > 0.35f);
    assert_true(!i || o->score <= call->objects->item[call->first + i - 1]->score);
}

/* The boxes that a call left, then how many they are. */
static int check_boxes(const struct lp_call *call) {
    int n = (int)json_array_size(json_object_get(call->report, "boxes")), told = n < TOLD ? n : TOLD;
    static const char *const lists[] = {"boxes", "logits", "phrases"};
    for (int i = 0; i < n; i++)
        check_box(call, i);
    for (int i = 0; i < 3; i++)
        assert_int_equal(json_array_size(json_object_get(call->result, lists[i])), told);
    assert_int_equal(json_array_size(json_object_get(call->report, "phrases")), n);
    assert_int_equal(json_array_size(json_object_get(call->report, "scores")), n);
    const struct lp_object *count = call->objects->item[call->first + n];
    assert_int_equal(count->kind, LP_OBJECT_COUNT);
    assert_int_equal(count->count, n);
    return n;
}

static void detect_leaves_boxes(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_call call;
    struct lp_error err = {0};
    char handles[64];
    if (!run(&call, "detect", &objects, "cat . red car", NULL, &err))
        fail_msg("%s", err.text);
    int n = check_boxes(&call);
    assert_true(n > 1 && n <= 15);
    assert_int_equal(call.count, n + 1);
    snprintf(handles, sizeof handles, "count_1, box_1..box_%d", n);
    assert_string_equal(json_string_value(json_object_get(call.result, "handles")), handles);
    struct lp_image *drawn = lp_call_annotate(&call, &err);
    assert_non_null(drawn);
    assert_memory_not_equal(drawn->pixel, picture->pixel, WIDTH * HEIGHT * 3);
    lp_image_close(drawn);
    lp_call_done(&call);
    lp_objects_done(&objects);
}

static void segment_instances_leaves_masks_too(void **state) {
    (void)state;
    struct lp_objects objects = {0};
    struct lp_call call;
    struct lp_error err = {0};
    if (!run(&call, "grounded_sam", &objects, "cat . red car", NULL, &err))
        fail_msg("%s", err.text);
    int n = check_boxes(&call);
    assert_true(n > 1);
    assert_int_equal(call.count, 2 * n + 1);
    assert_int_equal(json_array_size(json_object_get(call.report, "masks")), n);
    for (int i = 0; i < n; i++) {
        const struct lp_object *box = objects.item[i], *mask = objects.item[n + 1 + i];
        assert_int_equal(mask->kind, LP_OBJECT_MASK);
        assert_int_equal(mask->width, WIDTH);
        assert_string_equal(mask->text, box->text);
    }
    lp_call_done(&call);
    lp_objects_done(&objects);
}

/* Empty lists and a count of 0, and so for masks. */
static void nothing_found_is_an_answer(void **state) {
    (void)state;
    char unsure[64];
    static const char *const skills[] = {"detect", "segment_instances"};
    dino_folder_make(unsure, "dino_hf", NULL, "model.decoder.layer_norm.bias");
    link_as("grounding-dino", unsure);
    for (int i = 0; i < 2; i++) {
        struct lp_objects objects = {0};
        struct lp_error err = {0};
        json_t *params = json_pack("{s:s}", "caption", "unicorn");
        struct lp_call call = {
            .skill = lp_skill_find(skills[i]), .params = params, .objects = &objects, .picture = picture};
        if (!lp_skill_run(&call, &err))
            fail_msg("%s", err.text);
        assert_int_equal(check_boxes(&call), 0);
        assert_int_equal(call.count, 1);
        assert_int_equal(json_array_size(json_object_get(call.report, "masks")), 0);
        lp_call_done(&call);
        lp_objects_done(&objects);
        json_decref(params);
    }
    link_as("grounding-dino", dino);
    folder_remove(unsure);
}

static void refuses_captions_that_are_none(void **state) {
    (void)state;
    static char words[50001];
    struct lp_objects objects = {0};
    struct lp_call call;
    struct lp_error err = {0};
    for (size_t i = 0; i < 10000; i++)
        memcpy(words + 5 * i, "bird ", 5);
    assert_false(run(&call, "detect", &objects, "", NULL, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "'caption'"));
    lp_call_done(&call);
    err = (struct lp_error){0};
    assert_false(run(&call, "detect", &objects, words, NULL, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "'caption'"));
    lp_call_done(&call);
}

static void hears_a_cancel(void **state) {
    (void)state;
    atomic_bool cancel = true;
    struct lp_objects objects = {0};
    struct lp_call call;
    struct lp_error err = {0};
    assert_false(run(&call, "segment_instances", &objects, "cat", &cancel, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_call_done(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detect_leaves_boxes),        cmocka_unit_test(segment_instances_leaves_masks_too),
        cmocka_unit_test(nothing_found_is_an_answer), cmocka_unit_test(refuses_captions_that_are_none),
        cmocka_unit_test(hears_a_cancel),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
