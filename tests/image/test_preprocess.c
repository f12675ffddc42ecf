/* SPDX-License-Identifier: MIT */
/* lp_preprocess against transformers' CLIPImageProcessor, bit for bit (golden/preprocess.txt). */
#include "image/golden.h"
#include "image/preprocess.h"

#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void equals_reference(void **state) {
    (void)state;
    FILE *f = fopen(LP_TESTS_DIR "/image/golden/preprocess.txt", "r");
    assert_non_null(f);
    int seed, w, h, size, crop, aspect, cases = 0, wrong = 0;
    unsigned crc;
    float few[3];
    while (fscanf(f, "%d %d %d %d %d %d %x %f %f %f", &seed, &w, &h, &size, &crop, &aspect, &crc, few,
                  few + 1, few + 2) == 10) {
        struct lp_preprocess p;
        lp_preprocess_defaults(&p);
        p.size = size;
        p.crop = crop;
        assert_true(lp_preprocess_set_aspect(&p, aspect ? "pad" : "square", NULL));
        struct lp_image *in = golden_picture(seed, w, h);
        size_t n = (size_t)crop * (size_t)crop;
        float *out = lp_alloc(3 * n * sizeof *out);
        assert_true(lp_preprocess_run(&p, in, out, NULL));
        for (size_t c = 0; c < 3; c++)
            assert_float_equal(out[c * n + (size_t)(crop / 2 * crop + crop / 2)], few[c], 1e-5);
        if (golden_crc(out, 3 * n * sizeof *out) != crc) {
            print_error("%d x %d to %d, %d, aspect %d differs\n", w, h, size, crop, aspect);
            wrong++;
        }
        lp_free(out);
        lp_image_close(in);
        cases++;
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(cases > 100);
}

static bool read(const char *text, struct lp_preprocess *p, struct lp_error *err) {
    json_t *config = lp_json_parse(text, strlen(text), "settings", err);
    assert_non_null(config);
    bool ok = lp_preprocess_read(p, config, err);
    json_decref(config);
    return ok;
}

static void reads_settings(void **state) {
    (void)state;
    struct lp_preprocess p;
    assert_true(lp_preprocess_read(&p, NULL, NULL));
    assert_int_equal(p.size, 224);
    assert_true(
        read("{\"crop_size\": 336, \"do_center_crop\": true, \"do_normalize\": true, \"do_resize\": true,"
             "\"feature_extractor_type\": \"CLIPFeatureExtractor\", \"image_mean\": [0.5, 0.25, 1],"
             "\"image_std\": [0.5, 0.25, 2], \"resample\": 2, \"size\": 336}",
             &p, NULL));
    assert_int_equal(p.size, 336);
    assert_int_equal(p.crop, 336);
    assert_int_equal(p.filter, LP_BILINEAR);
    assert_int_equal(p.aspect, LP_ASPECT_CROP);
    assert_true(p.mean[1] == 0.25 && p.std[2] == 2);
    assert_true(read("{\"size\": {\"shortest_edge\": 40}, \"crop_size\": {\"height\": 32, \"width\": 32}}",
                     &p, NULL));
    assert_int_equal(p.size, 40);
    assert_int_equal(p.crop, 32);
    assert_true(
        read("{\"size\": {\"height\": 40, \"width\": 40}, \"do_center_crop\": false, \"crop_size\": 224}", &p,
             NULL));
    assert_int_equal(p.crop, 40);
    assert_int_equal(p.aspect, LP_ASPECT_SQUASH);
}

static void refuses_settings(void **state) {
    (void)state;
    const char *bad[] = {"[]",
                         "{\"size\": 0}",
                         "{\"size\": 1e9}",
                         "{\"size\": 99999999999}",
                         "{\"size\": \"big\"}",
                         "{\"size\": {\"height\": 4, \"width\": 5}}",
                         "{\"size\": {\"longest_edge\": 4}}",
                         "{\"size\": {\"shortest_edge\": 5, \"longest_edge\": 9}}",
                         "{\"size\": 30, \"crop_size\": 31}",
                         "{\"do_resize\": false}",
                         "{\"do_center_crop\": false}",
                         "{\"do_normalize\": 1}",
                         "{\"resample\": 0}",
                         "{\"resample\": 9}",
                         "{\"image_mean\": 0.5}",
                         "{\"image_mean\": [1, 2]}",
                         "{\"image_mean\": [1, 2, \"x\"]}",
                         "{\"image_std\": [0, 1, 1]}",
                         "{\"rescale_factor\": \"x\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_preprocess p;
        struct lp_error err = {0};
        assert_false(read(bad[i], &p, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_true(strlen(err.text) > 10);
    }
    struct lp_preprocess p;
    struct lp_error err = {0};
    lp_preprocess_defaults(&p);
    assert_false(lp_preprocess_set_aspect(&p, "anyres", &err));
    assert_int_equal(err.code, LP_EINPUT);
}

/* What would be gigabytes if the whole were made. */
static void long_and_thin(void **state) {
    (void)state;
    struct lp_preprocess p;
    struct lp_image *in = lp_image_new(1, 5000, NULL);
    lp_preprocess_defaults(&p);
    float *out = lp_alloc(3 * 224 * 224 * sizeof *out);
    assert_true(lp_preprocess_run(&p, in, out, NULL));
    assert_float_equal(out[0], -0.48145466f / 0.26862954f, 1e-6);
    lp_preprocess_set_aspect(&p, "pad", NULL);
    assert_true(lp_preprocess_run(&p, in, out, NULL));
    assert_float_equal(out[0], (122 / 255.0f - 0.48145466f) / 0.26862954f, 1e-6);
    p.aspect = LP_ASPECT_SQUASH;
    assert_true(lp_preprocess_run(&p, in, out, NULL));
    lp_free(out);
    lp_image_close(in);
}

static void memory_runs_out(void **state) {
    (void)state;
    struct lp_preprocess p;
    struct lp_image *in = lp_image_new(20, 30, NULL);
    lp_preprocess_defaults(&p);
    p.size = p.crop = 9;
    p.aspect = LP_ASPECT_PAD;
    float out[3 * 9 * 9];
    for (long n = 1; n < 24; n++) {
        lp_test_fail_alloc(n);
        bool ok = lp_preprocess_run(&p, in, out, NULL);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(ok != failed);
    }
    lp_image_close(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_reference), cmocka_unit_test(reads_settings),
                                       cmocka_unit_test(refuses_settings), cmocka_unit_test(long_and_thin),
                                       cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
