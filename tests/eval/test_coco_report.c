/* SPDX-License-Identifier: MIT */
/* A set's score as a table, as JSON and as pictures. */
#include "base/memory.h"
#include "eval/coco_read.h"
#include "eval/coco_report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scored {
    struct lp_coco set;
    struct lp_coco_score score;
};

/* Two dogs of 10 x 10 px, of which one is found exactly; a category whose name would clear a terminal; one
 * that is nowhere. */
static int score(void **state) {
    static struct scored s;
    struct lp_error err = {0};
    static const char truth[] =
        "{\"categories\":[{\"id\":1,\"name\":\"dog\"},{\"id\":4,\"name\":\"\\u001b[2Jh\\u00f6le\"},{\"id\":9,"
        "\"name\":\"cat\"}],"
        "\"images\":[{\"id\":1}],\"annotations\":["
        "{\"id\":1,\"image_id\":1,\"category_id\":1,\"area\":100,\"bbox\":[0,0,10,10]},"
        "{\"id\":2,\"image_id\":1,\"category_id\":1,\"area\":100,\"bbox\":[50,0,10,10]}]}";
    static const char results[] = "[{\"image_id\":1,\"category_id\":1,\"score\":0.5,\"bbox\":[0,0,10,10]},"
                                  "{\"image_id\":1,\"category_id\":4,\"score\":0.5,\"bbox\":[0,0,10,10]}]";
    const struct lp_coco_settings settings = {.most = 100};
    json_t *t = lp_json_parse(truth, sizeof truth - 1, "truth", &err);
    json_t *r = lp_json_parse(results, sizeof results - 1, "results", &err);
    bool ok = t && r && lp_coco_take_truth(&s.set, t, "truth", &err) &&
              lp_coco_take_results(&s.set, r, "results", &err) &&
              lp_coco_score(&s.set, &settings, &s.score, &err);
    json_decref(t);
    json_decref(r);
    *state = &s;
    return ok ? 0 : -1;
}

static int done(void **state) {
    struct scored *s = *state;
    lp_coco_score_done(&s->score);
    lp_coco_done(&s->set);
    return 0;
}

static void table(void **state) {
    const struct scored *s = *state;
    struct lp_str out = {0};
    lp_coco_table(&s->set, &s->score, &out);
    const char *text = lp_str_text(&out);
    assert_non_null(strstr(text, "\ndog                            2       1  0.5050  0.5050  0.5050  0.5050 "
                                 "      -       -  0.5000\n"));
    assert_non_null(strstr(text, "\n?[2Jh\xc3\xb6le                       0       1       -       -       -  "
                                 "     -       -       -       -\n"));
    assert_null(strstr(text, "cat  ")); /* nothing there, nothing found */
    assert_non_null(strstr(text, "\n1 pictures, 2 boxes to find, 0 crowds, 2 found\n"));
    assert_non_null(strstr(text, "\nAP medium       -   iou 0.50:0.95  medium  at most 100\n"));
    lp_str_done(&out);
}

static void json(void **state) {
    const struct scored *s = *state;
    struct lp_error err = {0};
    bool failed = true;
    for (long n = 1; failed; n++) {
        lp_test_fail_alloc(n);
        json_t *out = lp_coco_json(&s->set, &s->score, &err);
        failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(out != NULL, !failed);
        if (out) {
            json_t *dog = json_array_get(json_object_get(out, "categories"), 0);
            assert_true(fabs(json_real_value(json_object_get(out, "AP")) - 51. / 101) < 1e-9);
            assert_true(json_is_null(json_object_get(out, "AR_large")));
            assert_true(json_real_value(json_object_get(dog, "AR_100")) == 0.5);
            assert_int_equal(json_integer_value(json_object_get(dog, "truths")), 2);
        }
        json_decref(out);
    }
}

static int64_t colored(const struct lp_image *image) {
    int64_t n = 0;
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height * 3; i += 3)
        n += abs(image->pixel[i + 2] - image->pixel[i]) > 60; /* blue or red */
    return n;
}

static void pictures(void **state) {
    const struct scored *s = *state;
    const struct lp_coco_score none = {.curve = {{-1}}};
    struct lp_error err = {0};
    struct lp_image *curves = lp_coco_curves(&s->set, &s->score, &err),
                    *bars = lp_coco_bars(&s->set, &s->score, &err);
    struct lp_image *no_curves = lp_coco_curves(&s->set, &none, &err),
                    *no_bars = lp_coco_bars(&s->set, &none, &err);
    if (!curves || !bars || !no_curves || !no_bars)
        fail_msg("%s", err.text);
    assert_true(colored(bars) > 500 && colored(no_bars) == 0);
    assert_true(colored(curves) > 300);
    lp_image_close(curves);
    lp_image_close(bars);
    lp_image_close(no_curves);
    lp_image_close(no_bars);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(json),
                                       cmocka_unit_test(pictures)};
    return cmocka_run_group_tests(tests, score, done);
}
