/* SPDX-License-Identifier: MIT */
/* Decoding in other processes: the same pixels, and whatever a picture does there, the next one is decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/decode.h"
#include "image/make.h"
#include "image/odd_decoder.h"

#include <pthread.h>
#include <stdio.h>

static struct lp_decoders *open_decoders(int64_t memory_mib, double wait_s) {
    struct lp_decoders_settings settings;
    lp_decoders_defaults(&settings);
    settings.memory_mib = memory_mib;
    settings.wait_s = wait_s;
    struct lp_decoders *d = lp_decoders_open(&settings, NULL);
    assert_non_null(d);
    return d;
}

/* A PNG whose first pixel's red is `what`, the rest of it noise. Owned by caller. */
static uint8_t *picture(int width, int height, int what, size_t *n) {
    struct lp_image *image = lp_image_new(width, height, NULL);
    for (int i = 0; i < 3 * width * height; i++)
        image->pixel[i] = (uint8_t)(i * 2654435761u >> 24);
    image->pixel[0] = (uint8_t)what;
    uint8_t *png = lp_image_encode_png(image, n, NULL);
    lp_image_close(image);
    return png;
}

/* Decodes there and here: both must say the same. Whether it is a picture. */
static bool compare(const void *bytes, size_t n) {
    struct lp_error there = {0}, here = {0};
    struct lp_image *a = lp_image_decode(bytes, n, "it", &there), *b = lp_image_decode_here(bytes, n, false, "it", &here);
    bool is_one = b != NULL, same = a && b && a->width == b->width && a->height == b->height &&
                                   !memcmp(a->pixel, b->pixel, (size_t)b->width * (size_t)b->height * 3);
    if (is_one ? !same : a || there.code != here.code || strcmp(there.text, here.text))
        fail_msg("'%s', not '%s'", there.text, here.text);
    lp_image_close(a);
    lp_image_close(b);
    return is_one;
}

static void assert_decodes(void) {
    size_t n;
    uint8_t *png = picture(5, 3, 0, &n);
    assert_true(compare(png, n));
    lp_free(png);
}

static void the_same_comes_back(void **state) {
    static const int sizes[][2] = {{1, 1}, {4, 2}, {640, 480}, {1, 3000}};
    struct lp_decoders *d = open_decoders(0, 60);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n;
        uint8_t *png = picture(sizes[i][0], sizes[i][1], 0, &n);
        assert_true(compare(png, n));
        assert_false(compare(png, n - 20));
        lp_free(png);
    }
    assert_false(compare("", 0));
    assert_false(compare("nonsense", 8));
    lp_decoders_close(d);
    assert_decodes(); /* here again */
}

static void opacity_comes_back(void **state) {
    static const uint8_t rows[] = {0, 1, 2, 3, 4, 0, 5, 6, 7, 200};
    struct lp_str png = {0};
    int width, height;
    (void)state;
    png_begin(&png, 1, 2, 8, 6);
    png_end(&png, rows, sizeof rows);
    struct lp_decoders *d = open_decoders(0, 60);
    uint8_t *alpha = lp_image_decode_alpha(png.s, png.n, "it", &width, &height, NULL);
    assert_true(alpha && width == 1 && height == 2 && alpha[0] == 4 && alpha[1] == 200);
    lp_free(alpha);
    lp_str_done(&png);
    lp_decoders_close(d);
}

static void a_picture_harms_nobody_but_itself(void **state) {
    static const char *const says[] = {"what decodes the picture ended unexpectedly (Aborted)",
                                       "what decodes the picture ended unexpectedly (exit status 7)",
                                       "the picture takes longer than 3 s to decode",
                                       "the picture takes more than 600 MiB to decode",
                                       "what decodes the picture says what makes no sense",
                                       "what decodes the picture says what makes no sense",
                                       "what decodes the picture says what makes no sense"};
    (void)state;
    for (int what = ODD_PICTURE_ABORTS; what < ODD_PICTURES; what++) {
        struct lp_decoders *d = open_decoders(600, what == ODD_PICTURE_HANGS ? 3 : 600);
        struct lp_error err = {0};
        size_t n;
        uint8_t *png = picture(4, 2, what, &n);
        for (int time = 0; time < 2; time++) {
            assert_null(lp_image_decode(png, n, "it", &err));
            assert_int_equal(err.code, LP_EINPUT);
            assert_string_equal(err.text, says[what - ODD_PICTURE_ABORTS]);
        }
        assert_decodes();
        lp_free(png);
        lp_decoders_close(d);
    }
}

static void *decode_many(void *context) {
    (void)context;
    for (int i = 0; i < 20; i++) {
        size_t n;
        uint8_t *png = picture(4, 2, i % 5 ? i : ODD_PICTURE_ABORTS, &n);
        struct lp_image *image = lp_image_decode(png, n, "it", NULL);
        if ((image && image->pixel[0] == i) != (i % 5 != 0))
            return "a picture of another thread, or none";
        lp_image_close(image);
        lp_free(png);
    }
    return NULL;
}

static void more_threads_than_processes(void **state) {
    struct lp_decoders *d = open_decoders(0, 60);
    pthread_t thread[8];
    void *wrong;
    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, decode_many, NULL), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(thread[i], &wrong);
        if (wrong)
            fail_msg("%s", (char *)wrong);
    }
    lp_decoders_close(d);
}

static void decoding_is_given_up(void **state) {
    struct lp_decoders *d = open_decoders(0, 1e6);
    const atomic_bool cancel = true;
    struct lp_error err = {0};
    size_t n;
    uint8_t *png = picture(4, 2, ODD_PICTURE_HANGS, &n);
    (void)state;
    lp_decoders_heed(&cancel);
    assert_null(lp_image_decode(png, n, "it", &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_decoders_heed(NULL);
    assert_decodes();
    lp_free(png);
    lp_decoders_close(d);
}

static void no_program_no_decoders(void **state) {
    const struct lp_decoders_settings settings = {"/nowhere/llava-plus", 0, 1};
    struct lp_error err = {0};
    (void)state;
    assert_null(lp_decoders_open(&settings, &err));
    assert_int_equal(err.code, LP_EIO);
    for (long n = 1; n <= 2; n++) {
        lp_test_fail_alloc(n);
        struct lp_decoders_settings defaults;
        lp_decoders_defaults(&defaults);
        assert_null(lp_decoders_open(&defaults, &err));
        lp_test_fail_alloc(0);
        assert_int_equal(err.code, LP_EMEMORY);
    }
    assert_decodes(); /* here */
}

int main(int argc, char **argv) {
    odd_decoder_main(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_comes_back),
        cmocka_unit_test(opacity_comes_back),
        cmocka_unit_test(a_picture_harms_nobody_but_itself),
        cmocka_unit_test(more_threads_than_processes),
        cmocka_unit_test(decoding_is_given_up),
        cmocka_unit_test(no_program_no_decoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
