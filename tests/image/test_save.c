/* SPDX-License-Identifier: MIT */
/* Pictures written and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/make.h"

#include "base/file.h"

#include <dirent.h>

static char folder[] = "/tmp/lp-save-XXXXXX";

static int begin(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int count_files(void) {
    int n = 0;
    DIR *dir = opendir(folder);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static int end(void **state) {
    (void)state;
    return rmdir(folder);
}

static void round_trips(void **state) {
    (void)state;
    const struct {
        const char *name;
        double within; /* mean difference */
    } kinds[] = {{"a.png", 0}, {"A.PNG", 0}, {"b.jpg", 4}, {"b.JPEG", 4}, {"c.webp", 6}};
    struct lp_image *image = golden_picture(1, 61, 47);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[200];
        struct lp_error err = {0};
        snprintf(path, sizeof path, "%s/%s", folder, kinds[i].name);
        assert_true(lp_image_save(image, path, &err));
        struct lp_image *back = lp_image_open(path, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(back->width, 61);
        assert_int_equal(back->height, 47);
        double sum = 0;
        for (size_t j = 0; j < 61 * 47 * 3; j++)
            sum += abs(back->pixel[j] - image->pixel[j]);
        assert_true(sum / (61 * 47 * 3) <= kinds[i].within);
        lp_image_close(back);
        assert_int_equal(count_files(), 1);
        unlink(path);
    }
    lp_image_close(image);
}

static void to_memory(void **state) {
    (void)state;
    struct lp_image *image = golden_picture(2, 13, 7);
    size_t n = 0;
    uint8_t *png = lp_image_encode_png(image, &n, NULL);
    assert_memory_equal(png, "\x89PNG", 4);
    struct lp_image *back = lp_image_decode(png, n, "it", NULL);
    assert_memory_equal(back->pixel, image->pixel, 13 * 7 * 3);
    lp_free(png);
    struct lp_error err = {0};
    lp_test_fail_alloc(1);
    assert_null(lp_image_encode_png(image, &n, &err));
    lp_test_fail_alloc(0);
    assert_int_equal(err.code, LP_EMEMORY);
    lp_image_close(back);
    lp_image_close(image);
}

static void refuses(void **state) {
    (void)state;
    struct lp_image *image = lp_image_new(20000, 2, NULL);
    char path[200];
    const char *names[] = {"x", "x.gif", "x.tiff", "x.svg", ".png", "x.png.txt", "png", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct lp_error err = {0};
        assert_false(lp_image_save(image, names[i], &err));
        assert_int_equal(err.code, LP_EUSAGE);
    }
    struct lp_error err = {0};
    snprintf(path, sizeof path, "%s/x.webp", folder);
    assert_false(lp_image_save(image, path, &err));
    assert_int_equal(err.code, LP_EUSAGE);
    assert_non_null(strstr(err.text, "16383"));
    snprintf(path, sizeof path, "%s/none/x.png", folder);
    assert_false(lp_image_save(image, path, &err));
    assert_int_equal(err.code, LP_EIO);
    assert_non_null(strstr(err.text, path));
    assert_false(lp_image_save(image, "/proc/x.png", &err));
    assert_int_equal(count_files(), 0);
    lp_image_close(image);
}

static void sizes(void **state) {
    (void)state;
    const int bad[][2] = {{0, 1}, {1, 0}, {-1, -1}, {INT32_MAX, INT32_MAX}, {LP_IMAGE_MAX_PIXELS + 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        assert_null(lp_image_new(bad[i][0], bad[i][1], &err));
        assert_int_equal(err.code, LP_EUSAGE);
    }
    lp_image_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(to_memory),
                                       cmocka_unit_test(refuses), cmocka_unit_test(sizes)};
    return cmocka_run_group_tests(tests, begin, end);
}
