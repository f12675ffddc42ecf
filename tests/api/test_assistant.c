/* SPDX-License-Identifier: MIT */
/* The public interface alone. What needs the shipped planner is skipped where it is not in the tree. */
#include "llava_plus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MODEL LP_SOURCE_DIR "/models/llava-plus-nano-v1"

static void pictures(void **state) {
    (void)state;
    static const uint8_t pixel[] = {1, 2, 3, 4, 5, 6};
    struct lp_error err = {LP_OK, ""};
    int width = 0, height = 0;
    struct lp_image *image = lp_image_from_pixels(pixel, 2, 1, &err);
    assert_non_null(image);
    assert_memory_equal(lp_image_pixels(image, &width, &height), pixel, sizeof pixel);
    assert_int_equal(width, 2);
    assert_int_equal(height, 1);
    assert_false(lp_image_save(image, "/tmp/x.nothing", &err));
    assert_int_equal(err.code, LP_EUSAGE);
    lp_image_close(image);
    assert_null(lp_image_from_pixels(pixel, 0, 1, &err));
    assert_null(lp_image_open("/nowhere.png", &err));
    assert_int_equal(err.code, LP_EIO);
    assert_null(lp_image_decode("nonsense", 8, "bytes", &err));
    assert_int_equal(err.code, LP_EINPUT);
    lp_image_close(NULL);
    assert_non_null(strchr(lp_version(), '.'));
}

static void skills(void **state) {
    (void)state;
    struct lp_error err = {LP_OK, ""};
    char *all = lp_skills_list(&err);
    assert_non_null(all);
    assert_non_null(strstr(all, "\"name\":\"generate_from_layout\""));
    assert_non_null(strstr(all, "\"ready\":"));
    lp_text_free(all);
    assert_null(lp_skills_run("teleport", NULL, NULL, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    assert_null(lp_skills_run("ocr", NULL, NULL, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_null(lp_skills_run("detect", NULL, "{\"caption\": 1}", &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_null(lp_skills_run("detect", NULL, "{", &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_null(lp_skills_run("generate", NULL, "{\"prompt\": \"a cat\"}", &err));
    assert_int_equal(err.code, LP_EMISSING);
    struct lp_image *image = lp_image_open(LP_SOURCE_DIR "/examples/sign.jpg", &err);
    assert_non_null(image);
    char *read = lp_skills_run("easyocr", image, NULL, &err);
    assert_non_null(read);
    assert_non_null(strstr(read, "OPEN"));
    lp_text_free(read);
    lp_image_close(image);
}

static void models_that_are_not_there(void **state) {
    (void)state;
    struct lp_error err = {LP_OK, ""};
    struct lp_settings settings;
    lp_settings_defaults(&settings);
    settings.model = "/nowhere";
    assert_null(lp_assistant_open(&settings, &err));
    assert_true(err.code != LP_OK && strlen(err.text) > 10);
    settings.cache = "/dev/null"; /* can be no folder */
    assert_null(lp_assistant_open(&settings, &err));
    assert_int_equal(err.code, LP_EIO);
    lp_assistant_close(NULL);
}

static void join(void *context, const struct lp_event *event) {
    char *text = context;
    if (event->kind == LP_EVENT_ANSWER)
        strncat(text, event->text, 900 - strlen(text));
}

static void stop(void *context, const struct lp_event *event) {
    (void)event;
    lp_assistant_cancel(context);
}

static void a_conversation(void **state) {
    (void)state;
    struct lp_error err = {LP_OK, ""};
    struct lp_settings settings;
    struct lp_question q;
    char answer[1000] = "";
    if (access(MODEL "/model.safetensors", R_OK))
        skip();
    lp_settings_defaults(&settings);
    lp_question_defaults(&q);
    settings.model = MODEL;
    struct lp_assistant *a = lp_assistant_open(&settings, &err);
    if (!a)
        fail_msg("%s", err.text);
    struct lp_image *image = lp_image_open(LP_SOURCE_DIR "/examples/sign.jpg", &err);
    assert_null(lp_assistant_ask(a, &q, NULL, NULL, &err)); /* no text */
    assert_int_equal(err.code, LP_EINPUT);
    assert_string_equal(lp_assistant_show(a, image, &err), "img_1");
    q.text = "What does the sign say?";
    char *plan = lp_assistant_plan(a, &q, &err);
    assert_non_null(plan);
    assert_non_null(strstr(plan, "\"actions\":["));
    lp_text_free(plan);
    assert_null(lp_assistant_ask(a, &q, stop, a, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    char *reply = lp_assistant_ask(a, &q, join, answer, &err);
    if (!reply)
        fail_msg("%s", err.text);
    assert_non_null(strstr(reply, "\"handle\":\"img_1\""));
    assert_true(strlen(answer) > 0);
    lp_text_free(reply);
    char *objects = lp_assistant_objects(a, &err);
    assert_non_null(strstr(objects, "img_1"));
    lp_text_free(objects);
    struct lp_image *copy = lp_assistant_image(a, "img_1", &err);
    assert_non_null(copy);
    lp_image_close(copy);
    assert_null(lp_assistant_image(a, "mask_7", &err));
    assert_int_equal(err.code, LP_EMISSING);
    lp_assistant_reset(a);
    assert_null(lp_assistant_image(a, "img_1", &err));
    lp_image_close(image);
    lp_assistant_close(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures),
        cmocka_unit_test(skills),
        cmocka_unit_test(models_that_are_not_there),
        cmocka_unit_test(a_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
