/* SPDX-License-Identifier: MIT */
/* Masks as run lengths, against pycocotools (golden/rle.txt, made by tools/golden/image.py). */
#include "image/golden.h"
#include "image/rle.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void equals_pycocotools(void **state) {
    (void)state;
    FILE *f = fopen(LP_TESTS_DIR "/image/golden/rle.txt", "r");
    assert_non_null(f);
    int kind, seed, w, h, cases = 0;
    static char counts[65536];
    while (fscanf(f, "%d %d %d %d %65535s", &kind, &seed, &w, &h, counts) == 5) {
        uint8_t *mask = golden_mask(kind, seed, w, h), *back = malloc((size_t)w * h);
        memset(back, 7, (size_t)w * h);
        char *ours = lp_rle_encode(mask, w, h, NULL);
        assert_string_equal(ours, counts);
        assert_true(lp_rle_decode(back, w, h, counts, strlen(counts), NULL));
        assert_memory_equal(mask, back, (size_t)w * h);
        lp_free(ours);
        free(mask);
        free(back);
        cases++;
    }
    fclose(f);
    assert_true(cases > 60);
}

/* Any byte other than 0 is inside. */
static void any_value(void **state) {
    (void)state;
    const uint8_t mask[] = {0, 1, 255, 128};
    char *counts = lp_rle_encode(mask, 4, 1, NULL);
    assert_string_equal(counts, "13");
    lp_free(counts);
}

static void refuses(void **state) {
    (void)state;
    const struct {
        const char *counts;
        size_t n;
    } bad[] = {{"", 0},       {"P1", 2},    {"o", 1},           {"ooooooooooooooo0", 16},
               {"5", 1},      {"7", 1},     {"O", 1},           {"6 ", 2},
               {"6\n", 2},    {"3\xff", 2}, {"03", 2},          {"2220", 4},
               {"\0", 1},     {"660", 3},   {"PPPPPPPPP0", 10}, {"p", 1},
               {"oooooo1", 7}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t mask[6];
        struct lp_error err = {0};
        if (lp_rle_decode(mask, 3, 2, bad[i].counts, bad[i].n, &err))
            fail_msg("accepted '%s'", bad[i].counts);
        assert_int_equal(err.code, LP_EINPUT);
    }
    uint8_t mask[6];
    assert_true(lp_rle_decode(mask, 3, 2, "6", 1, NULL));
}

/* Random texts: never a crash, and what is accepted covers the mask. */
static void random_texts(void **state) {
    (void)state;
    int accepted = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        char counts[6];
        uint8_t mask[30];
        memset(mask, 7, sizeof mask);
        for (uint32_t j = 0; j < sizeof counts; j++)
            counts[j] = (char)(48 + golden_noise(i, j) % 16);
        if (lp_rle_decode(mask, 5, 6, counts, sizeof counts, NULL)) {
            accepted++;
            for (size_t j = 0; j < sizeof mask; j++)
                assert_true(mask[j] <= 1);
        }
    }
    assert_true(accepted > 10);
}

static void memory_runs_out(void **state) {
    (void)state;
    const uint8_t mask[6] = {0};
    struct lp_error err = {0};
    lp_test_fail_alloc(1);
    assert_null(lp_rle_encode(mask, 3, 2, &err));
    lp_test_fail_alloc(0);
    assert_int_equal(err.code, LP_EMEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_pycocotools), cmocka_unit_test(any_value),
                                       cmocka_unit_test(refuses), cmocka_unit_test(random_texts),
                                       cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
