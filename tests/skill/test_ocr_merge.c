/* SPDX-License-Identifier: MIT */
/* Readings become one: noise goes, gaps are filled, nothing is read twice. */
#include "skill/ocr_merge.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Rows of {box, confidence, line, text}, ended by a text of NULL, as a reading that borrows them. */
static struct lp_ocr_reading reading_of(struct lp_ocr_word *word) {
    int n = 0;
    while (word[n].text)
        n++;
    return (struct lp_ocr_reading){.word = word, .n = n, .capacity = n};
}

/* Merges and compares the texts, in the order taken, separated by '/'. */
static void expect(const struct lp_ocr_reading *readings, int n, const char *texts) {
    struct lp_ocr_reading out = {0};
    struct lp_error err = {0};
    char all[512] = "";
    assert_true(lp_ocr_merge(readings, n, &out, &err));
    for (int i = 0; i < out.n; i++) {
        strcat(all, i ? "/" : "");
        strcat(all, out.word[i].text);
    }
    assert_string_equal(all, texts);
    lp_ocr_reading_done(&out);
}

static void noise(void **state) {
    (void)state;
    struct lp_ocr_word page[] = {
        {{0, 0, 90, 30}, 0.96f, 1, "WINTER"},
        {{100, 0, 160, 30}, 0.95f, 1, "SALE"},
        {{0, 50, 40, 80}, 0.30f, 2, "ees"}, /* low confidence */
        {{50, 50, 52, 55}, 0.97f, 3, "il"}, /* too low for a letter */
        {{0, 100, 10, 130}, 0.96f, 4, "|"},
        {{20, 100, 90, 130}, 0.96f, 4, "~-_"},
        {{0, 150, 20, 180}, 0.90f, 5, "A"},  /* a lone letter needs more */
        {{0, 200, 20, 230}, 0.70f, 6, "wt"}, /* so do two */
        {{0, 250, 60, 280}, 0.65f, 7, "Honey"},
        {{0, 300, 20, 330}, 0.95f, 8, "7"},
        {{0, 350, 20, 380}, 0.9f, 9, "$"}, /* no letter in the line */
        {{0, 0, 0, 0}, 0, 0, NULL},
    };
    struct lp_ocr_reading reading = reading_of(page);
    expect(&reading, 1, "WINTER/SALE/Honey/7");
}

static void gaps(void **state) {
    (void)state;
    struct lp_ocr_word block[] = {{{0, 0, 80, 30}, 0.96f, 1, "Coats,"},
                                  {{0, 100, 90, 130}, 0.96f, 2, "Ends"},
                                  {{100, 100, 190, 130}, 0.96f, 2, "January"},
                                  {{0, 0, 0, 0}, 0, 0, NULL}};
    struct lp_ocr_word sparse[] = {{{0, 50, 40, 80}, 0.75f, 1, "UP"},
                                   {{50, 50, 90, 80}, 0.95f, 1, "TO"},
                                   {{100, 50, 160, 80}, 0.94f, 1, "50%"},
                                   {{102, 102, 188, 128}, 0.80f, 2, "January"}, /* read before */
                                   {{200, 100, 230, 130}, 0.90f, 2, "28"},      /* not read before */
                                   {{240, 100, 260, 130}, 0.60f, 2, "zz"}, /* not sure enough to be added */
                                   {{0, 0, 0, 0}, 0, 0, NULL}};
    struct lp_ocr_reading readings[] = {reading_of(block), reading_of(sparse)};
    expect(readings, 2, "Ends/January/28/UP/TO/50%/Coats,");
    expect(readings, 1, "Ends/January/Coats,");
}

static void better_reading(void **state) {
    (void)state;
    struct lp_ocr_word good[] = {{{0, 0, 120, 30}, 0.95f, 1, "SUBTOTAL"},
                                 {{200, 0, 260, 30}, 0.96f, 1, "23.42"},
                                 {{0, 0, 0, 0}, 0, 0, NULL}};
    struct lp_ocr_word bad[] = {{{0, 0, 120, 30}, 0.55f, 1, "5UBTOTAI"},
                                {{200, 0, 260, 30}, 0.60f, 1, "28.42"},
                                {{0, 0, 0, 0}, 0, 0, NULL}};
    struct lp_ocr_reading one[] = {reading_of(good), reading_of(bad)},
                          other[] = {reading_of(bad), reading_of(good)};
    expect(one, 2, "SUBTOTAL/23.42");
    expect(other, 2, "SUBTOTAL/23.42");
}

static void nothing(void **state) {
    (void)state;
    struct lp_ocr_reading empty[3] = {{{0}, NULL, 0, 0}};
    expect(empty, 3, "");
    expect(NULL, 0, "");
}

static void letters(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int letters;
    } pairs[] = {{"", 0},
                 {"a1", 2},
                 {"$7.50", 3},
                 {"--", 0},
                 {"caf\xc3\xa9", 4},
                 {"\xff"
                  "a",
                  1},
                 {"\xe2\x80\x94", 0}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(lp_ocr_letters(pairs[i].text), pairs[i].letters);
}

static void memory(void **state) {
    (void)state;
    struct lp_ocr_word page[] = {{{0, 0, 90, 30}, 0.96f, 1, "WINTER"},
                                 {{100, 0, 160, 30}, 0.95f, 1, "SALE"},
                                 {{0, 0, 0, 0}, 0, 0, NULL}};
    struct lp_ocr_reading reading = reading_of(page);
    for (long n = 1;; n++) {
        struct lp_ocr_reading out = {0};
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        bool ok = lp_ocr_merge(&reading, 1, &out, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        lp_ocr_reading_done(&out);
        assert_int_equal(ok, !failed);
        assert_int_equal(err.code, failed ? LP_EMEMORY : LP_OK);
        if (ok)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise),   cmocka_unit_test(gaps),    cmocka_unit_test(better_reading),
        cmocka_unit_test(nothing), cmocka_unit_test(letters), cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
