/* SPDX-License-Identifier: MIT */
/* Pictures of every kind that is read: the right pixels come out. Broken ones are in test_bad.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/make.h"

#include "base/file.h"

#include <pthread.h>

static int largest_difference(const struct lp_image *a, const struct lp_image *b) {
    int most = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (size_t i = 0; i < (size_t)a->width * a->height * 3; i++) {
        int d = abs(a->pixel[i] - b->pixel[i]);
        most = d > most ? d : most;
    }
    return most;
}

static struct lp_image *decode(struct lp_str *bytes) {
    struct lp_error err = {0};
    struct lp_image *image = lp_image_decode(bytes->s, bytes->n, "test", &err);
    assert_string_equal(err.text, "");
    assert_non_null(image);
    lp_str_done(bytes);
    return image;
}

static void expect_pixel(const struct lp_image *image, int x, int y, int r, int g, int b, int within) {
    const uint8_t *p = image->pixel + 3 * ((size_t)y * image->width + x);
    if (abs(p[0] - r) > within || abs(p[1] - g) > within || abs(p[2] - b) > within)
        fail_msg("pixel %d,%d is %d,%d,%d, not %d,%d,%d", x, y, p[0], p[1], p[2], r, g, b);
}

static void every_kind(void **state) {
    (void)state;
    const struct {
        const char *kind;
        int within;
    } kinds[] = {{"png", 0}, {"ipng", 0}, {"webp", 0}, {"tiff", 0}, {"jpg", 40}, {"pjpg", 40}, {"gif", 255}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lp_str bytes = {0};
        assert_true(encode_as(&bytes, kinds[i].kind, 70, 83));
        struct lp_image *image = decode(&bytes), *expected = golden_picture(1, 70, 83);
        assert_in_range(largest_difference(image, expected), 0, (unsigned)kinds[i].within);
        lp_image_close(image);
        lp_image_close(expected);
    }
}

/* A 48 x 16 JPEG, its first row red then green, its last blue then white, with an EXIF orientation. */
static struct lp_image *oriented(int orientation) {
    struct lp_image *stored = lp_image_new(48, 16, NULL);
    for (int y = 0; y < 16; y++)
        for (int x = 0; x < 48; x++) {
            uint8_t *p = stored->pixel + 3 * (y * 48 + x);
            p[0] = (y < 8) == (x < 24) ? 255 : 0;
            p[1] = x < 24 ? 0 : 255;
            p[2] = y < 8 ? 0 : 255;
        }
    VipsImage *in = vips_of(stored);
    void *jpeg;
    size_t n;
    assert_int_equal(vips_jpegsave_buffer(in, &jpeg, &n, "Q", 100, "strip", TRUE, NULL), 0);
    g_object_unref(in);
    lp_image_close(stored);
    const char exif[] = "\xff\xe1\0\x22"
                        "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0?\0\0\0\0\0\0\0";
    struct lp_str bytes = {0};
    lp_str_add(&bytes, jpeg, 2);
    lp_str_add(&bytes, exif, sizeof exif - 1);
    *(char *)memchr(bytes.s, '?', bytes.n) = (char)orientation;
    lp_str_add(&bytes, (char *)jpeg + 2, n - 2);
    g_free(jpeg);
    return decode(&bytes);
}

static void orientations(void **state) {
    (void)state;
    /* Where the stored first row's first and last pixel are seen: 0 top left, 1 top right, 2 bottom left, 3
     * bottom right (EXIF 2.3, table 6). */
    const int first[] = {0, 0, 1, 3, 2, 0, 1, 3, 2, 0}, last[] = {1, 1, 0, 2, 3, 2, 3, 1, 0, 1};
    for (int orientation = 0; orientation <= 9; orientation++) {
        struct lp_image *image = oriented(orientation);
        bool swapped = orientation >= 5 && orientation <= 8;
        assert_int_equal(image->width, swapped ? 16 : 48);
        assert_int_equal(image->height, swapped ? 48 : 16);
        int w = image->width - 1, h = image->height - 1, f = first[orientation], l = last[orientation];
        expect_pixel(image, f % 2 * w, f / 2 * h, 255, 0, 0, 4);
        expect_pixel(image, l % 2 * w, l / 2 * h, 0, 255, 0, 4);
        expect_pixel(image, (3 - f) % 2 * w, (3 - f) / 2 * h, 255, 255, 255, 4);
        lp_image_close(image);
    }
}

/* A PNG of one row; with a palette its two entries are as opaque as `opacity` says. */
static struct lp_str two_pixels(int depth, int color, const char *row, size_t n, const char *opacity) {
    struct lp_str png = {0};
    uint8_t filtered[20] = {0};
    memcpy(filtered + 1, row, n);
    png_begin(&png, 2, 1, depth, color);
    if (color == 3) {
        put_chunk(&png, "PLTE", "\1\2\3\7\x8\x9", 6);
        put_chunk(&png, "tRNS", opacity, 2);
    }
    png_end(&png, filtered, 1 + n);
    return png;
}

/* Grey, alpha, 16 bits, palette: two pixels each, in one row. */
static void png_kinds(void **state) {
    (void)state;
    const struct {
        int depth, color;
        const char *row; /* after the filter byte */
        size_t n;
        int expected[6];
    } kinds[] = {
        {8, 0, "\x00\x63", 2, {0, 0, 0, 99, 99, 99}},
        {1, 0, "\x40", 1, {0, 0, 0, 255, 255, 255}},
        {4, 0, "\x0f", 1, {0, 0, 0, 255, 255, 255}},
        {16, 0, "\x12\x34\xab\xcd", 4, {0x12, 0x12, 0x12, 0xab, 0xab, 0xab}},
        {8, 4, "\x40\xff\x40\x00", 4, {64, 64, 64, 255, 255, 255}},
        {16, 4, "\x40\x00\xff\xff\x40\x00\x00\x00", 8, {64, 64, 64, 255, 255, 255}},
        {8, 2, "\x01\x02\x03\xfd\xfe\xff", 6, {1, 2, 3, 253, 254, 255}},
        {16, 2, "\x01\x80\x02\x00\x03\xff\xfd\x11\xfe\x22\xff\x33", 12, {1, 2, 3, 253, 254, 255}},
        {8, 6, "\x0a\x14\x1e\xff\x00\x00\xff\x80", 8, {10, 20, 30, 127, 127, 255}},
        {16,
         6,
         "\x0a\x00\x14\x00\x1e\x00\xff\xff\x00\x00\x00\x00\xff\xff\x80\x00",
         16,
         {10, 20, 30, 127, 127, 255}},
        {8, 3, "\x01\x00", 2, {7, 8, 9, 255, 255, 255}}, /* palette; entry 0 is transparent */
        {2, 3, "\x40", 1, {7, 8, 9, 255, 255, 255}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lp_str png = two_pixels(kinds[i].depth, kinds[i].color, kinds[i].row, kinds[i].n, "\0\xff");
        struct lp_image *image = decode(&png);
        const int *e = kinds[i].expected;
        expect_pixel(image, 0, 0, e[0], e[1], e[2], 1);
        expect_pixel(image, 1, 0, e[3], e[4], e[5], 1);
        lp_image_close(image);
    }
}

/* Two pixels each: the first transparent, the other half so. */
static void opacity_alone(void **state) {
    (void)state;
    const struct {
        int depth, color;
        const char *row; /* after the filter byte */
        size_t n;
    } kinds[] = {
        {8, 4, "\x40\x00\x40\x80", 4},
        {16, 4, "\x40\x00\x00\x00\x40\x00\x80\x00", 8},
        {8, 6, "\x0a\x14\x1e\x00\x00\x00\xff\x80", 8},
        {16, 6, "\x0a\x00\x14\x00\x1e\x00\x00\x00\x00\x00\x00\x00\xff\xff\x80\x00", 16},
        {8, 3, "\x00\x01", 2},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct lp_str png = two_pixels(kinds[i].depth, kinds[i].color, kinds[i].row, kinds[i].n, "\0\x80");
        int width = 0, height = 0;
        uint8_t *alpha = lp_image_decode_alpha(png.s, png.n, "a", &width, &height, NULL);
        assert_true(alpha && width == 2 && height == 1);
        assert_true(alpha[0] == 0 && alpha[1] == 128);
        lp_free(alpha);
        lp_str_done(&png);
    }
}

static void opacity_that_is_not_there(void **state) {
    (void)state;
    static const uint8_t row[3] = {0, 1, 2};
    struct lp_str png = {0};
    struct lp_error err = {0};
    int width, height;
    png_begin(&png, 2, 1, 8, 0);
    png_end(&png, row, sizeof row);
    assert_null(lp_image_decode_alpha(png.s, png.n, "a.png", &width, &height, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_string_equal(err.text, "'a.png' is a PNG picture without transparency: save it with an alpha channel");
    lp_str_done(&png);
}

static void cmyk_jpeg(void **state) {
    (void)state;
    uint8_t ink[32 * 16 * 4] = {0}; /* paper left, full black right */
    for (int i = 0; i < 32 * 16; i++)
        ink[4 * i + 3] = i % 32 < 16 ? 0 : 255;
    VipsImage *raw = vips_image_new_from_memory(ink, sizeof ink, 32, 16, 4, VIPS_FORMAT_UCHAR), *cmyk = NULL;
    void *bytes;
    size_t n;
    assert_int_equal(vips_copy(raw, &cmyk, "interpretation", VIPS_INTERPRETATION_CMYK, NULL), 0);
    assert_int_equal(vips_jpegsave_buffer(cmyk, &bytes, &n, "Q", 100, NULL), 0);
    g_object_unref(raw);
    g_object_unref(cmyk);
    struct lp_str jpeg = {0};
    take(&jpeg, bytes, n);
    struct lp_image *image = decode(&jpeg);
    expect_pixel(image, 2, 3, 255, 255, 255, 8);
    expect_pixel(image, 29, 3, 30, 30, 30, 32);
    lp_image_close(image);
}

/* Colours written in another space with its profile come back as they were. */
static void profiles(void **state) {
    (void)state;
    struct lp_image *flat = lp_image_new(16, 16, NULL);
    for (size_t i = 0; i < 16 * 16; i++)
        memcpy(flat->pixel + 3 * i, "\xc8\x50\x1e", 3);
    VipsImage *in = vips_of(flat), *p3 = NULL;
    void *bytes;
    size_t n;
    assert_int_equal(vips_icc_transform(in, &p3, "p3", "input_profile", "srgb", NULL), 0);
    assert_int_equal(vips_pngsave_buffer(p3, &bytes, &n, NULL), 0);
    g_object_unref(in);
    g_object_unref(p3);
    struct lp_str png = {0};
    take(&png, bytes, n);
    assert_non_null(memmem(png.s, png.n, "iCCP", 4));
    struct lp_image *image = decode(&png);
    assert_in_range(largest_difference(image, flat), 0, 3);
    lp_image_close(image);
    lp_image_close(flat);
}

/* A profile that is none is passed over. */
static void broken_profile(void **state) {
    (void)state;
    struct lp_image *image = golden_picture(1, 30, 20);
    VipsImage *in = vips_of(image);
    void *bytes;
    size_t n;
    vips_image_set_blob_copy(in, VIPS_META_ICC_NAME, "this is no profile", 18);
    assert_int_equal(vips_tiffsave_buffer(in, &bytes, &n, NULL), 0);
    g_object_unref(in);
    struct lp_str tiff = {0};
    take(&tiff, bytes, n);
    assert_non_null(memmem(tiff.s, tiff.n, "no profile", 10));
    struct lp_image *back = decode(&tiff);
    assert_int_equal(largest_difference(image, back), 0);
    lp_image_close(image);
    lp_image_close(back);
}

/* Telephones' pictures; the module that reads them is not on every machine. The two files are 64 x 48 pixels
 * of grey 200, written by vips_heifsave (whose encoders leak and would fail this test). */
static void heif(void **state) {
    (void)state;
    if (!lp_vips_load_heif())
        skip();
    const char *names[] = {"grey.heic", "grey.avif"};
    for (int i = 0; i < 2; i++) {
        char path[400];
        struct lp_str heic = {0};
        snprintf(path, sizeof path, LP_TESTS_DIR "/image/golden/%s", names[i]);
        heic.s = lp_file_read(path, 10000, &heic.n, NULL);
        assert_non_null(heic.s);
        for (size_t cut = 20; cut < heic.n; cut += 61) {
            struct lp_error err = {0};
            assert_null(lp_image_decode(heic.s, cut, "cut", &err));
            assert_int_equal(err.code, LP_EINPUT);
        }
        struct lp_image *image = decode(&heic);
        assert_int_equal(image->width, 64);
        assert_int_equal(image->height, 48);
        expect_pixel(image, 0, 0, 200, 200, 200, 6);
        expect_pixel(image, 63, 47, 200, 200, 200, 6);
        lp_image_close(image);
    }
}

static void first_frame(void **state) {
    (void)state;
    struct lp_image *film = lp_image_new(20, 30, NULL); /* a frame of 20 x 15 red, one of blue */
    for (size_t i = 0; i < 20 * 30; i++)
        film->pixel[3 * i + (i < 20 * 15 ? 0 : 2)] = 255;
    VipsImage *in = vips_of(film);
    vips_image_set_int(in, VIPS_META_PAGE_HEIGHT, 15);
    for (int webp = 0; webp < 2; webp++) {
        void *bytes;
        size_t n;
        assert_int_equal(webp ? vips_webpsave_buffer(in, &bytes, &n, "lossless", TRUE, NULL)
                              : vips_gifsave_buffer(in, &bytes, &n, NULL),
                         0);
        struct lp_str film_bytes = {0};
        take(&film_bytes, bytes, n);
        struct lp_image *image = decode(&film_bytes);
        assert_int_equal(image->height, 15);
        expect_pixel(image, 3, 14, 255, 0, 0, 2);
        lp_image_close(image);
    }
    g_object_unref(in);
    lp_image_close(film);
}

/* The compressed form that test_bad.c takes its bombs from is sound. */
static void bomb_form(void **state) {
    (void)state;
    struct lp_str png = {0};
    png_bomb(&png, 3001, 2000);
    struct lp_image *image = decode(&png);
    assert_int_equal(image->width, 3001);
    expect_pixel(image, 3000, 1999, 0, 0, 0, 0);
    lp_image_close(image);
}

static void *decode_often(void *arg) {
    struct lp_str *both = arg;
    for (int i = 0; i < 40; i++) {
        struct lp_error err = {0};
        size_t n = i % 2 ? both->n : both->n / 2;
        struct lp_image *image = lp_image_decode(both->s, n, "it", &err);
        if ((image != NULL) != (i % 2 == 1) || (!image && err.code != LP_EINPUT))
            return arg;
        lp_image_close(image);
    }
    return NULL;
}

static void several_threads(void **state) {
    (void)state;
    struct lp_str bytes = {0};
    pthread_t threads[4];
    assert_true(encode_as(&bytes, "jpg", 70, 83));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decode_often, &bytes), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    lp_str_done(&bytes);
}

static void memory_runs_out(void **state) {
    (void)state;
    struct lp_str bytes = {0};
    assert_true(encode_as(&bytes, "png", 9, 8));
    int n = 0;
    struct lp_image *image = NULL;
    while (!image) {
        struct lp_error err = {0};
        assert_true(++n < 20);
        lp_test_fail_alloc(n);
        image = lp_image_decode(bytes.s, bytes.n, "it", &err);
        lp_test_fail_alloc(0);
        assert_int_equal(err.code, image ? LP_OK : LP_EMEMORY);
    }
    assert_true(n >= 3);
    for (int i = 1; i <= 2; i++) {
        lp_test_fail_alloc(i);
        assert_null(lp_image_copy(image, NULL));
        lp_test_fail_alloc(0);
    }
    lp_image_close(image);
    lp_str_done(&bytes);
}

int main(void) {
    if (!lp_vips_start(NULL))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),      cmocka_unit_test(orientations),
        cmocka_unit_test(png_kinds),       cmocka_unit_test(cmyk_jpeg),
        cmocka_unit_test(opacity_alone),   cmocka_unit_test(opacity_that_is_not_there),
        cmocka_unit_test(profiles),        cmocka_unit_test(first_frame),
        cmocka_unit_test(broken_profile),  cmocka_unit_test(heif),
        cmocka_unit_test(bomb_form),       cmocka_unit_test(several_threads),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
