/* SPDX-License-Identifier: MIT */
/* Masks at points and boxes, by a random-weight miniature of SAM: what the call leaves and reports, and what
 * it says where there are no weights. That the masks are the right ones is tests/model/test_sam.c's. */
#include "base/memory.h"
#include "image/image.h"
#include "image/rle.h"
#include "skill/skill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTH = 93, HEIGHT = 61 };

static char models[] = "/tmp/lp_models_XXXXXX";
static struct lp_bench *bench;
static struct lp_image *picture;

static int start(void **state) {
    char link[64];
    (void)state;
    if (!mkdtemp(models))
        return -1;
    snprintf(link, sizeof link, "%s/sam", models);
    setenv("LLAVA_PLUS_MODELS", models, 1);
    bench = lp_bench_open(NULL);
    picture = lp_image_new(WIDTH, HEIGHT, NULL);
    for (int i = 0; picture && i < WIDTH * HEIGHT * 3; i++)
        picture->pixel[i] = (uint8_t)(i * 31 % 251);
    return symlink(LP_TESTS_DIR "/golden/sam_hf", link) || !bench || !picture;
}

static int finish(void **state) {
    char link[64];
    (void)state;
    snprintf(link, sizeof link, "%s/sam", models);
    unlink(link);
    rmdir(models);
    lp_image_close(picture);
    lp_bench_close(bench);
    return 0;
}

/* Runs the skill with parameters in JSON on the picture; the caller ends the call and its objects. */
static bool segment(struct lp_call *call, struct lp_objects *objects, const char *json,
                    struct lp_error *err) {
    const struct lp_skill *skill = lp_skill_find("segment_at");
    json_t *raw = lp_json_parse(json, strlen(json), "params", err), *params = lp_skill_check(skill, raw, err);
    *call = (struct lp_call){
        .skill = skill, .params = params, .objects = objects, .picture = picture, .bench = bench};
    bool ok = params && lp_skill_run(call, err);
    call->params = NULL;
    json_decref(params);
    json_decref(raw);
    return ok;
}

/* Mask i of the report is the object's, as COCO writes it. */
static void check_mask(const struct lp_call *call, int i) {
    const struct lp_object *o = call->objects->item[call->first + i];
    json_t *mask = json_array_get(json_object_get(call->report, "masks"), (size_t)i);
    json_t *rle = json_object_get(mask, "segmentation"), *size = json_object_get(rle, "size");
    const char *counts = json_string_value(json_object_get(rle, "counts"));
    static uint8_t pixel[WIDTH * HEIGHT];
    int64_t area = 0;
    assert_int_equal(o->kind, LP_OBJECT_MASK);
    assert_int_equal(json_integer_value(json_array_get(size, 0)), HEIGHT);
    assert_int_equal(json_integer_value(json_array_get(size, 1)), WIDTH);
    assert_non_null(counts);
    assert_true(lp_rle_decode(pixel, WIDTH, HEIGHT, counts, strlen(counts), NULL));
    assert_memory_equal(pixel, o->pixel, sizeof pixel);
    for (int j = 0; j < WIDTH * HEIGHT; j++)
        area += pixel[j];
    assert_int_equal(json_integer_value(json_object_get(mask, "area")), area);
    if (area > 0) {
        assert_int_equal(json_array_size(json_object_get(mask, "box")), 4);
    } else {
        assert_true(json_is_null(json_object_get(mask, "box")));
    }
    assert_true(json_is_real(json_object_get(mask, "score")));
}

static void leaves_a_mask_for_each_thing(void **state) {
    (void)state;
    static const struct {
        const char *params;
        int masks;
        const char *handles;
    } cases[] = {
        {"{\"points\": [[0.5, 0.5]]}", 1, "mask_1"},
        {"{\"points\": [[0.5, 0.5], [1, 1], [0, 0.25]]}", 3, "mask_1..mask_3"},
        {"{\"points\": [[0.5, 0.5], [1, 1]], \"point_labels\": [1, 0]}", 1, "mask_1"},
        {"{\"boxes\": [[0, 0, 1, 1], [0.25, 0.5, 0.25, 0.5], \"box_1\"]}", 3, "mask_1..mask_3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_objects objects = {0};
        struct lp_call call;
        struct lp_error err = {0};
        assert_non_null(lp_objects_add_box(&objects, (const float[4]){0, 0.5f, 1, 1}, "cup", 1, &err));
        if (!segment(&call, &objects, cases[i].params, &err))
            fail_msg("%s: %s", cases[i].params, err.text);
        assert_int_equal(call.count, cases[i].masks);
        assert_string_equal(json_string_value(json_object_get(call.result, "handles")), cases[i].handles);
        assert_string_equal(json_string_value(json_object_get(call.result, "message")),
                            "The sam has processed the image.");
        for (int j = 0; j < call.count; j++)
            check_mask(&call, j);
        struct lp_image *drawn = lp_call_annotate(&call, &err);
        assert_non_null(drawn);
        lp_image_close(drawn);
        lp_call_done(&call);
        lp_objects_done(&objects);
    }
}

/* More pictures than are kept, in turns: each gets its own answer, again and again. */
static void remembers_pictures(void **state) {
    (void)state;
    enum { PICTURES = 6 };
    uint8_t *first[PICTURES] = {NULL}, kept = picture->pixel[0];
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < PICTURES; i++) {
            struct lp_objects objects = {0};
            struct lp_call call;
            struct lp_error err = {0};
            for (int j = 0; j < 900; j++)
                picture->pixel[j * 7] = (uint8_t)(i * 40);
            assert_true(segment(&call, &objects, "{\"points\": [[0.3, 0.6]]}", &err));
            const uint8_t *got = objects.item[0]->pixel;
            if (!first[i])
                first[i] = lp_alloc(WIDTH * HEIGHT);
            if (turn == 0)
                memcpy(first[i], got, WIDTH * HEIGHT);
            assert_memory_equal(first[i], got, WIDTH * HEIGHT);
            lp_call_done(&call);
            lp_objects_done(&objects);
        }
    assert_memory_not_equal(first[0], first[PICTURES - 1], WIDTH * HEIGHT);
    for (int i = 0; i < PICTURES; i++)
        lp_free(first[i]);
    picture->pixel[0] = kept;
}

static bool on_the_circle(int x, int y) {
    return (x - 100) * (x - 100) + (y - 140) * (y - 140) < 36 * 36;
}

/* Where nobody has put other weights, the shipped ones find what is clicked on or boxed. */
static void knows_stickers_without_a_download(void **state) {
    (void)state;
    enum { SIDE = 256 };
    static const char *const prompts[] = {"{\"points\": [[0.4, 0.55]]}",
                                          "{\"boxes\": [[0.25, 0.40625, 0.53125, 0.6875]]}"};
    struct lp_image *other = picture;
    setenv("LLAVA_PLUS_MODELS", "/nowhere", 1);
    picture = lp_image_new(SIDE, SIDE, NULL);
    assert_non_null(picture);
    for (int i = 0; i < SIDE * SIDE; i++) {
        static const uint8_t red[3] = {214, 48, 40}, grass[3] = {120, 180, 90};
        memcpy(picture->pixel + 3 * i, on_the_circle(i % SIDE, i / SIDE) ? red : grass, 3);
    }
    for (int k = 0; k < 2; k++) {
        struct lp_objects objects = {0};
        struct lp_call call;
        struct lp_error err = {0};
        int both = 0, either = 0;
        struct lp_bench *kept = bench;
        bench = NULL;
        assert_true(segment(&call, &objects, prompts[k], &err));
        bench = kept;
        for (int i = 0; i < SIDE * SIDE; i++) {
            bool found = objects.item[0]->pixel[i], there = on_the_circle(i % SIDE, i / SIDE);
            both += found && there;
            either += found || there;
        }
        if (both < 0.8 * either)
            fail_msg("%s: %d of %d px", prompts[k], both, either);
        lp_call_done(&call);
        lp_objects_done(&objects);
    }
    lp_image_close(picture);
    picture = other;
    setenv("LLAVA_PLUS_MODELS", models, 1);
}

static void hears_a_cancel(void **state) {
    (void)state;
    atomic_bool cancel = true;
    struct lp_objects objects = {0};
    struct lp_error err = {0};
    json_t *params = lp_json_parse("{\"points\": [[0.5, 0.5]]}", 24, "params", &err);
    struct lp_call call = {.skill = lp_skill_find("segment_at"),
                           .params = params,
                           .objects = &objects,
                           .picture = picture,
                           .cancel = &cancel};
    assert_false(lp_skill_run(&call, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_call_done(&call);
    json_decref(params);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_a_mask_for_each_thing),
        cmocka_unit_test(remembers_pictures),
        cmocka_unit_test(knows_stickers_without_a_download),
        cmocka_unit_test(hears_a_cancel),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
