/* SPDX-License-Identifier: MIT */
/* Pictures that are remembered: shared by all who find them, the last used, within a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "serve/pixels.h"

enum { SIDE = 10, BYTES = SIDE * SIDE * 3 };

/* A picture of that number, and its hash. Decoded by p; owned by caller. */
static struct lp_image *bring(struct lp_pixels *p, int number, struct lp_hash *file) {
    struct lp_image *image = lp_image_new(SIDE, SIDE, NULL);
    size_t n;
    image->pixel[0] = (uint8_t)number;
    image->pixel[1] = (uint8_t)(number >> 8);
    uint8_t *png = lp_image_encode_png(image, &n, NULL);
    lp_image_close(image);
    *file = lp_sha256_of(png, n);
    image = lp_pixels_decode(p, file, png, n, NULL);
    assert_int_equal(image->pixel[0] | image->pixel[1] << 8, number);
    lp_free(png);
    return image;
}

static bool knows(struct lp_pixels *p, const struct lp_hash *file) {
    struct lp_image *image = lp_pixels_find(p, file);
    lp_image_close(image);
    return image;
}

static void what_is_known_is_shared(void **state) {
    struct lp_pixels *p = lp_pixels_open(BYTES, NULL);
    struct lp_hash file, other;
    (void)state;
    struct lp_image *first = bring(p, 7, &file), *again = bring(p, 7, &file), *found = lp_pixels_find(p, &file);
    assert_ptr_equal(first, again);
    assert_ptr_equal(first, found);
    lp_image_close(again);
    lp_image_close(found);
    lp_image_close(bring(p, 8, &other)); /* in its place */
    assert_false(knows(p, &file));
    assert_int_equal(first->pixel[0], 7); /* whoever has it keeps it */
    lp_pixels_close(p);
    assert_int_equal(first->pixel[0], 7);
    lp_image_close(first);
}

static void the_last_used_stay(void **state) {
    struct lp_pixels *p = lp_pixels_open(3 * BYTES + 1, NULL);
    struct lp_hash file[4];
    (void)state;
    for (int i = 0; i < 3; i++)
        lp_image_close(bring(p, i, &file[i]));
    assert_int_equal(lp_pixels_memory(p), 3 * BYTES);
    assert_true(knows(p, &file[0]));
    lp_image_close(bring(p, 3, &file[3]));
    assert_true(knows(p, &file[0]) && !knows(p, &file[1]) && knows(p, &file[2]) && knows(p, &file[3]));
    lp_pixels_forget(p, &file[2]);
    lp_pixels_forget(p, &file[1]); /* nor is it there */
    assert_true(knows(p, &file[0]) && !knows(p, &file[2]) && knows(p, &file[3]));
    assert_int_equal(lp_pixels_memory(p), 2 * BYTES);
    lp_pixels_close(p);
}

static void there_are_limits(void **state) {
    struct lp_pixels *small = lp_pixels_open(BYTES - 1, NULL), *large = lp_pixels_open(1 << 30, NULL);
    struct lp_hash file, first;
    struct lp_error err = {0};
    (void)state;
    lp_image_close(bring(small, 1, &file)); /* too large to be kept */
    assert_int_equal(lp_pixels_memory(small), 0);
    lp_image_close(bring(NULL, 1, &file)); /* nothing is */
    assert_false(knows(NULL, &file));
    lp_image_close(bring(large, 0, &first));
    for (int i = 1; i <= 256; i++)
        lp_image_close(bring(large, i, &file));
    assert_true(!knows(large, &first) && knows(large, &file));
    assert_int_equal(lp_pixels_memory(large), 256 * BYTES);
    assert_null(lp_pixels_decode(large, &first, "nonsense", 8, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_false(knows(large, &first));
    lp_pixels_close(small);
    lp_pixels_close(large);
    lp_pixels_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_shared),
        cmocka_unit_test(the_last_used_stay),
        cmocka_unit_test(there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
