/* SPDX-License-Identifier: MIT */
/* Calls in the words of the original's tool workers: requests as its web server sends them, responses as its workers
 * give them, and both ends against each other. */
#include "base/base64.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"
#include "skill/wire.h"
#include "text/python.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WIDTH = 40, HEIGHT = 20 };

static struct lp_image *new_picture(int width, int height) {
    struct lp_image *picture = lp_image_new(width, height, NULL);
    assert_non_null(picture);
    for (int i = 0; i < width * height * 3; i++)
        picture->pixel[i] = (uint8_t)(i * 31 % 251);
    return picture;
}

/* A call with parameters in their normal form, in a conversation with a picture, a mask, a map and a box. */
struct asked {
    struct lp_objects objects;
    json_t *params;
    struct lp_call call;
};

static void asked_begin(struct asked *a, const char *skill, const char *params) {
    static uint8_t plane[WIDTH * HEIGHT];
    struct lp_error err = {0};
    *a = (struct asked){.call.skill = lp_skill_find(skill)};
    memset(plane, 0, sizeof plane);
    plane[5 * WIDTH + 7] = 1;
    assert_non_null(lp_objects_add_image(&a->objects, new_picture(WIDTH, HEIGHT), NULL));
    assert_non_null(lp_objects_add_mask(&a->objects, WIDTH, HEIGHT, plane, NULL, 1, NULL));
    assert_non_null(lp_objects_add_map(&a->objects, WIDTH, HEIGHT, plane, NULL));
    assert_non_null(lp_objects_add_box(&a->objects, (const float[4]){0.25f, 0.5f, 0.75f, 1}, "dog", 1, NULL));
    json_t *raw = json_loads(params, 0, NULL);
    a->params = lp_skill_check(a->call.skill, raw, &err);
    if (!a->params)
        fail_msg("%s", err.text);
    json_decref(raw);
    a->call.params = a->params;
    a->call.objects = &a->objects;
    a->call.picture = a->objects.item[0]->picture;
    a->call.result = json_object();
    a->call.report = json_object();
}

static void asked_end(struct asked *a) {
    lp_call_done(&a->call);
    lp_objects_done(&a->objects);
    json_decref(a->params);
}

static void requests(void **state) {
    (void)state;
#define THRESHOLDS "{'image': .., 'box_threshold': 0.3, 'text_threshold': 0.25"
    static const struct {
        const char *skill, *params, *request;
    } cases[] = {
        {"detect", "{\"caption\":\"girl . cart\"}", THRESHOLDS ", 'caption': 'girl . cart'}"},
        {"caption", "{}", THRESHOLDS "}"},
        {"segment_at", "{\"boxes\":[[0.1,0.2,0.3,0.4],\"box_1\"]}", THRESHOLDS ", 'boxes': [[0.1, 0.2, 0.3, 0.4], [0.25, 0.5, 0.75, 1.0]]}"},
        {"segment_at", "{\"points\":[[0.5,0.5],[0.1,0.1]]}",
         THRESHOLDS ", 'points': [[[0.5, 0.5]], [[0.1, 0.1]]], 'point_labels': [[1], [1]]}"},
        {"segment_at", "{\"points\":[[0.5,0.5],[0.1,0.1]],\"point_labels\":[1,0]}",
         THRESHOLDS ", 'points': [[[0.5, 0.5], [0.1, 0.1]]], 'point_labels': [[1, 0]]}"},
        {"segment_levels", "{\"points\":[[0.5,0.25]]}", THRESHOLDS ", 'point': [[0.5, 0.25]]}"},
        {"generate", "{\"prompt\":\"a cat\"}", "{'image': None, 'box_threshold': 0.3, 'text_threshold': 0.25, 'prompt': 'a cat'}"},
        {"inpaint", "{\"prompt\":\"a cat\",\"mask\":\"mask_1\"}",
         THRESHOLDS ", 'prompt': 'a cat', 'mask': {'size': [20, 40], 'counts': 'a41^d0'}}"},
        {"segment_semantic", "{}", THRESHOLDS ", 'mode': 'openseed'}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asked a;
        struct lp_error err = {0};
        asked_begin(&a, cases[i].skill, cases[i].params);
        json_t *request = lp_wire_request(&a.call, &err);
        assert_non_null(request);
        if (json_is_string(json_object_get(request, "image"))) {
            assert_memory_equal(json_string_value(json_object_get(request, "image")), "iVBORw0KGgo", 11); /* PNG */
            json_object_set_new(request, "image", json_string(".."));
        }
        char *text = lp_python_repr(request);
        char *quoted = strstr(text, "'..'");
        if (quoted) {
            memmove(quoted, quoted + 1, 2);
            memmove(quoted + 2, quoted + 4, strlen(quoted + 4) + 1);
        }
        if (strcmp(text, cases[i].request))
            fail_msg("%s: %s", cases[i].skill, text);
        lp_free(text);
        json_decref(request);
        asked_end(&a);
    }
}

/* The dict that the planner reads, as the original's web server makes it, and the objects that are left. */
static void responses(void **state) {
    (void)state;
#define GROUNDED "\"boxes\":[[0.1,0.2,0.504,0.6]],\"logits\":[0.514],\"phrases\":[\"dog\"],\"size\":[20,40]"
#define RLE "{\"size\":[20,40],\"counts\":\"a41^d0\"}"
    static const struct {
        const char *skill, *name, *response, *dict, *left;
    } cases[] = {
        {"detect", "grounding_dino", "{" GROUNDED "}", "{'boxes': [[0.1, 0.2, 0.5, 0.6]], 'logits': [0.51], 'phrases': ['dog']}",
         "count_1, box_1"},
        {"detect", "grounding_dino", "{\"boxes\":[],\"logits\":[],\"phrases\":[],\"size\":[20,40]}",
         "{'boxes': [], 'logits': [], 'phrases': []}", "count_1"},
        {"segment_instances", "grounded_sam", "{" GROUNDED ",\"masks_rle\":[" RLE "]}",
         "{'boxes': [[0.1, 0.2, 0.5, 0.6]], 'logits': [0.51], 'phrases': ['dog']}", "count_1, box_1, mask_1"},
        {"tag_ground", "ram+grounding_dino", "{" GROUNDED ",\"tags\":\"dog, cat\",\"tags_chinese\":\"x\"}",
         "{'boxes': [[0.1, 0.2, 0.5, 0.6]], 'logits': [0.51], 'phrases': ['dog'], 'tags': 'dog, cat', 'tags_chinese': 'x'}",
         "text_1, count_1, box_1"},
        {"caption", "blip2", "{\"caption\":\"a dog\",\"size\":[20,40]}", "{'caption': 'a dog'}", "text_1"},
        {"ocr", "ocr", "{\"boxes\":[[0,0,1,1]],\"texts\":[\"OPEN\"],\"scores\":[0.987]}",
         "{'boxes': [[0.0, 0.0, 1.0, 1.0]], 'texts': ['OPEN'], 'scores': [0.99]}", "text_1, box_1"},
        {"ocr", "easyocr", "{\"boxes\":[[0,0,1,1]],\"texts\":[\"OPEN\"],\"scores\":[0.987]}", "{'texts': ['OPEN']}", "text_1, box_1"},
        {"retrieve", "clip", "{\"retrieval_results\":[{\"caption\":\"a dog\",\"url\":\"u\",\"id\":1,\"similarity\":0.314}],\"size\":[1,1]}",
         "{'retrieval_results': [{'caption': 'a dog', 'similarity': 0.31}]}", "text_1"},
        {"segment_at", "sam", "{\"masks_rle\":[" RLE "," RLE "],\"boxes\":null}", "{}", "mask_1..mask_2"},
        {"segment_at", "sam", "{\"masks_rle\":[],\"boxes\":[]}", "{'boxes': []}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_image *picture = new_picture(WIDTH, HEIGHT);
        struct lp_call call = {.skill = lp_skill_find(cases[i].skill), .picture = picture, .result = json_object(), .report = json_object()};
        struct lp_error err = {0};
        struct lp_str left = {0};
        json_t *response = json_loads(cases[i].response, 0, NULL);
        if (!lp_wire_take(&call, cases[i].name, response, &err))
            fail_msg("%s: %s", cases[i].name, err.text);
        char *dict = lp_python_repr(call.result);
        lp_objects_format_handles(&call.made, 0, &left);
        if (strcmp(dict, cases[i].dict) || strcmp(lp_str_text(&left), cases[i].left))
            fail_msg("%s: %s %s", cases[i].name, dict, lp_str_text(&left));
        lp_free(dict);
        lp_str_done(&left);
        json_decref(response);
        lp_call_done(&call);
        lp_image_close(picture);
    }
}

static void responses_that_make_no_sense(void **state) {
    (void)state;
    static const struct {
        const char *skill, *response, *says;
        int code;
    } cases[] = {
        {"caption", "[]", "no JSON object", LP_EINPUT},
        {"caption", "{\"text\":\"**NETWORK ERROR**\\n\\n(CUDA out of memory)\",\"error_code\":50002}", "says: CUDA out of memory", LP_EIO},
        {"caption", "{\"error_code\":50001}", "does not say why", LP_EIO},
        {"detect", "{\"boxes\":[[0,0,1]]}", "'boxes'", LP_EINPUT},
        {"detect", "{\"boxes\":[[0.9,0,0.1,1]]}", "'boxes'", LP_EINPUT},
        {"detect", "{\"boxes\":[\"x\"]}", "'boxes'", LP_EINPUT},
        {"detect", "{\"boxes\":7,\"logits\":\"a\"}", "'logits'", LP_EINPUT},
        {"segment_at", "{\"masks_rle\":[{\"size\":[20],\"counts\":\"a\"}]}", "a mask must be", LP_EINPUT},
        {"segment_at", "{\"masks_rle\":[{\"size\":[60000,60000],\"counts\":\"a\"}]}", "a mask must be", LP_EINPUT},
        {"segment_at", "{\"masks_rle\":[{\"size\":[20,40],\"counts\":\"~~~\"}]}", "", LP_EINPUT},
        {"edit", "{\"edited_image\":\"/etc/passwd\"}", "base64", LP_EINPUT},
        {"edit", "{\"edited_image\":\"AAAA\"}", "edited_image", LP_EINPUT},
        {"retrieve", "{\"retrieval_results\":[{\"caption\":1}]}", "'retrieval_results'", LP_EINPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_call call = {.skill = lp_skill_find(cases[i].skill), .result = json_object(), .report = json_object()};
        struct lp_error err = {0};
        json_t *response = json_loads(cases[i].response, 0, NULL);
        if (lp_wire_take(&call, call.skill->api_name, response, &err) || (int)err.code != cases[i].code || !strstr(err.text, cases[i].says))
            fail_msg("%s: %d %s", cases[i].response, err.code, err.text);
        json_decref(response);
        lp_call_done(&call);
    }
}

/* A worker whose picture was smaller. */
static void a_mask_comes_back_in_the_picture_s_size(void **state) {
    (void)state;
    struct lp_image *picture = new_picture(2 * WIDTH, 2 * HEIGHT);
    struct lp_call call = {.skill = lp_skill_find("sam"), .picture = picture, .result = json_object(), .report = json_object()};
    struct lp_error err = {0};
    json_t *response = json_loads("{\"masks_rle\":[" RLE "]}", 0, NULL);
    assert_true(lp_wire_take(&call, "sam", response, &err));
    const struct lp_object *mask = call.made.item[0];
    assert_int_equal(mask->width, 2 * WIDTH);
    assert_int_equal(mask->height, 2 * HEIGHT);
    int inside = 0;
    for (int i = 0; i < 4 * WIDTH * HEIGHT; i++)
        inside += mask->pixel[i];
    assert_int_equal(inside, 4);
    assert_true(mask->pixel[10 * 2 * WIDTH + 14]);
    json_decref(response);
    lp_call_done(&call);
    lp_image_close(picture);
}

/* Skills as they may one day be, to see what a worker hands them and what it makes of what they leave. */
static bool run_inpaint(struct lp_call *call, void *opened, struct lp_error *err) {
    (void)opened;
    const struct lp_object *mask = lp_objects_newest(call->objects, LP_OBJECT_MASK);
    assert_true(mask && mask->width == WIDTH && mask->pixel[5 * WIDTH + 7] && !mask->pixel[0]);
    assert_string_equal(json_string_value(json_object_get(call->params, "prompt")), "a cat");
    return lp_objects_add_image(&call->made, new_picture(8, 8), err);
}

static bool run_layout(struct lp_call *call, void *opened, struct lp_error *err) {
    (void)opened;
    const struct lp_object *map = lp_objects_newest(call->objects, LP_OBJECT_MAP);
    assert_true(map && map->width == 64 && map->pixel[10 * 64 + 10] == 2 && map->pixel[10 * 64 + 50] == 12);
    assert_string_equal(json_string_value(json_object_get(call->params, "prompt")), "a street");
    return lp_objects_add_image(&call->made, new_picture(8, 8), err);
}

static bool run_like(struct lp_call *call, void *opened, struct lp_error *err) {
    static uint8_t plane[WIDTH * HEIGHT];
    (void)opened;
    assert_int_equal(call->reference_boxes, 1);
    assert_true(call->reference_box[0][0] >= 0.24f && call->reference_box[0][0] <= 0.26f && call->reference_box[0][3] >= 0.99f);
    return lp_objects_add_mask(&call->made, WIDTH, HEIGHT, plane, NULL, 1, err);
}

/* A ready skill in the place of one that is not. */
static struct lp_skill made_up(const char *name, bool (*run)(struct lp_call *, void *, struct lp_error *)) {
    struct lp_skill skill = *lp_skill_find(name);
    skill.lacks = NULL;
    skill.run = run;
    return skill;
}

static json_t *serve_call(const struct lp_skill *skill, struct asked *a) {
    struct lp_error err = {0};
    json_t *request = lp_wire_request(&a->call, &err), *response = lp_wire_serve(skill, request, NULL, NULL, &err);
    if (!response)
        fail_msg("%s: %s", skill->name, err.text);
    json_decref(request);
    return response;
}

static void both_ends(void **state) {
    (void)state;
    struct lp_skill inpaint = made_up("inpaint", run_inpaint), layout = made_up("generate_from_layout", run_layout),
                    like = made_up("segment_like", run_like);
    struct lp_error err = {0};
    struct asked a;
    asked_begin(&a, "inpaint", "{\"prompt\":\"a cat\",\"mask\":\"mask_1\"}");
    json_t *response = serve_call(&inpaint, &a);
    assert_int_equal(json_object_size(response), 1);
    assert_true(lp_wire_take(&a.call, "inpainting", response, &err));
    assert_int_equal(lp_objects_count(&a.call.made, LP_OBJECT_IMAGE), 1);
    assert_int_equal(a.call.made.item[0]->picture->width, 8);
    json_decref(response);
    asked_end(&a);

    static uint8_t halves[64 * 64];
    for (int i = 0; i < 64 * 64; i++)
        halves[i] = i % 64 < 32 ? 2 : 12; /* sky, person */
    asked_begin(&a, "generate_from_layout", "{\"prompt\":{\"caption\":\"a street\"},\"layout\":\"map_2\"}");
    assert_non_null(lp_objects_add_map(&a.objects, 64, 64, halves, NULL));
    response = serve_call(&layout, &a);
    assert_true(json_is_string(json_object_get(response, "edited_image")));
    json_decref(response);
    asked_end(&a);

    const float box[1][4] = {{0.25f, 0.5f, 0.5f, 1}};
    asked_begin(&a, "segment_like", "{}");
    a.call.reference = a.call.picture;
    a.call.reference_box = box;
    a.call.reference_boxes = 1;
    response = serve_call(&like, &a);
    assert_true(json_is_string(json_object_get(response, "edited_image")) && !json_object_get(response, "masks_rle"));
    json_decref(response);
    asked_end(&a);
}

/* The real skill behind the wire leaves what it leaves here. */
static void sam_at_a_worker(void **state) {
    (void)state;
    char models[] = "/tmp/lp_models_XXXXXX", link[64];
    struct lp_error err = {0};
    struct asked a;
    assert_non_null(mkdtemp(models));
    snprintf(link, sizeof link, "%s/sam", models);
    assert_int_equal(symlink(LP_TESTS_DIR "/golden/sam_hf", link), 0);
    setenv("LLAVA_PLUS_MODELS", models, 1);
    asked_begin(&a, "segment_at", "{\"boxes\":[[0.1,0.2,0.7,0.8],\"box_1\"]}");
    json_t *response = serve_call(a.call.skill, &a);
    assert_int_equal(json_array_size(json_object_get(response, "masks_rle")), 2);
    assert_int_equal(json_array_size(json_object_get(response, "boxes")), 2); /* the echo */
    assert_int_equal(json_object_size(response), 2);
    assert_true(lp_wire_take(&a.call, "sam", response, &err));
    struct lp_call here = {.skill = a.call.skill, .params = a.params, .objects = &a.objects};
    assert_true(lp_skill_run(&here, &err));
    for (int i = 0; i < 2; i++)
        assert_memory_equal(a.call.made.item[i]->pixel, a.objects.item[here.first + i]->pixel, WIDTH * HEIGHT);
    lp_call_done(&here);
    json_decref(response);
    asked_end(&a);
    asked_begin(&a, "segment_at", "{\"points\":[[0.1,0.2]]}");
    response = serve_call(a.call.skill, &a);
    assert_int_equal(json_array_size(json_object_get(response, "boxes")), 0); /* a list, which the original's is not */
    json_decref(response);
    asked_end(&a);
    unlink(link);
    rmdir(models);
}

static void requests_that_make_no_sense(void **state) {
    (void)state;
#define PICTURE "\"image\":\"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\""
    static const struct {
        const char *skill, *request, *says;
    } cases[] = {
        {"segment_at", "{\"boxes\":[[0,0,1,1]]}", "'image' is missing"},
        {"segment_at", "{\"image\":\"/etc/passwd\",\"boxes\":[[0,0,1,1]]}", "paths and addresses are not read"},
        {"segment_at", "{\"image\":\"https://example.org/a.png\",\"boxes\":[[0,0,1,1]]}", "paths and addresses are not read"},
        {"segment_at", "{\"image\":7}", "base64"},
        {"segment_at", "{" PICTURE "}", "exactly one"},
        {"segment_at", "{" PICTURE ",\"boxes\":[[0,0,9,1]]}", "0 to 1"},
        {"detect", "{" PICTURE "}", "'caption' is missing"},
        {"inpaint", "{" PICTURE ",\"prompt\":\"x\"}", "'mask' is missing"},
        {"inpaint", "{" PICTURE ",\"prompt\":\"x\",\"mask\":\"mask_1\"}", "a mask must be"},
        {"segment_like", "{" PICTURE "}", "'refimg' is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        json_t *request = json_loads(cases[i].request, 0, NULL);
        json_t *response = lp_wire_serve(lp_skill_find(cases[i].skill), request, NULL, NULL, &err);
        if (response || err.code != LP_EINPUT || !strstr(err.text, cases[i].says))
            fail_msg("%s: %s", cases[i].request, err.text);
        json_decref(request);
    }
}

static void names_and_ports(void **state) {
    (void)state;
    const char *names[LP_WIRE_NAMES + 1];
    lp_wire_names(lp_skill_find("ocr"), names);
    assert_string_equal(names[0], "ocr");
    assert_string_equal(names[1], "easyocr");
    assert_null(names[2]);
    assert_int_equal(lp_wire_port(lp_skill_find("grounding_dino")), 21003);
    assert_int_equal(lp_wire_port(lp_skill_find("inpainting")), 23336);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(responses),
        cmocka_unit_test(responses_that_make_no_sense),
        cmocka_unit_test(a_mask_comes_back_in_the_picture_s_size),
        cmocka_unit_test(both_ends),
        cmocka_unit_test(sam_at_a_worker),
        cmocka_unit_test(requests_that_make_no_sense),
        cmocka_unit_test(names_and_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
