/* SPDX-License-Identifier: MIT */
/* Words with boxes come into the order in which people read them. */
#include "skill/ocr_order.h"

#include "base/memory.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 128, HEIGHT = 20, LETTER = 10 };

struct page {
    struct lp_ocr_word word[MOST];
    char texts[2048];
    size_t used;
    int n;
};

/* Writes the words of a text from x on, around the middle y; letters are 10 px wide, words 10 px apart. */
static void put(struct page *page, float x, float y, const char *text) {
    char *copy = page->texts + page->used;
    page->used += strlen(text) + 1;
    assert_true(page->used <= sizeof page->texts);
    strcpy(copy, text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        float end = x + (float)(LETTER * strlen(word));
        assert_true(page->n < MOST);
        page->word[page->n++] = (struct lp_ocr_word){
            .box = {x, y - HEIGHT / 2, end, y + HEIGHT / 2}, .confidence = 0.9f, .text = word};
        x = end + LETTER;
    }
}

/* The page's rows, joined by LF, with the words given in an order that is no help. */
static void expect(const struct page *page, const char *text) {
    struct lp_ocr_reading reading = {.n = page->n, .capacity = page->n};
    struct lp_error err = {0};
    struct lp_str all = {0};
    reading.word = lp_alloc_array((size_t)page->n + 1, sizeof *reading.word);
    assert_non_null(reading.word);
    for (int i = 0; i < page->n; i++) /* 61 has no divisor in common with the counts used here */
        reading.word[i] = page->word[(i * 61 + 5) % page->n];
    assert_true(lp_ocr_order(&reading, &err));
    for (int i = 0; i < reading.n; i++) {
        int before = i ? reading.word[i - 1].line : 1;
        assert_true(reading.word[i].line == before || reading.word[i].line == before + 1);
        if (i)
            lp_str_putc(&all, reading.word[i].line == before ? ' ' : '\n');
        lp_str_puts(&all, reading.word[i].text);
    }
    assert_string_equal(lp_str_text(&all), text);
    lp_str_done(&all);
    lp_ocr_reading_done(&reading);
}

static void sign(void **state) {
    (void)state;
    struct page page = {0};
    put(&page, 100, 50, "NO");
    put(&page, 60, 90, "PARKING ANY TIME");
    expect(&page, "NO\nPARKING ANY TIME");
}

static void receipt(void **state) {
    (void)state;
    struct page page = {0};
    static const char *const items[] = {"whole wheat bread", "milk from the farm", "two ripe bananas",
                                        "a jar of honey", "six brown eggs"};
    for (int i = 0; i < 5; i++) {
        put(&page, 20, 50 + 30.0f * (float)i, items[i]);
        put(&page, 400, 54 + 30.0f * (float)i, "3.20");
    }
    expect(&page,
           "whole wheat bread 3.20\nmilk from the farm 3.20\ntwo ripe bananas 3.20\na jar of honey 3.20\n"
           "six brown eggs 3.20");
}

static const char *const left[] = {"our bakery opens", "on Monday after the", "repairs with a new",
                                   "oven that is big", "enough for all"};
static const char *const right[] = {"the choir looks for", "two tenors who can", "sing on Friday nights",
                                    "and like a good", "joke or two"};

static void prose(float offset) {
    struct page page = {0};
    put(&page, 20, 40, "the newsletter of our small village in May");
    for (int i = 0; i < 5; i++) {
        put(&page, 20, 100 + 40.0f * (float)i, left[i]);
        put(&page, 300, 100 + offset + 40.0f * (float)i, right[i]);
    }
    put(&page, 20, 360, "printed by the parish council and free for all");
    expect(&page,
           "the newsletter of our small village in May\n"
           "our bakery opens\non Monday after the\nrepairs with a new\noven that is big\nenough for all\n"
           "the choir looks for\ntwo tenors who can\nsing on Friday nights\nand like a good\njoke or two\n"
           "printed by the parish council and free for all");
}

static void columns(void **state) {
    (void)state;
    prose(0);
    prose(6);
    prose(15); /* lines of the right column lie between those of the left */
    prose(20);
    prose(-9);
}

static void three_columns(void **state) {
    (void)state;
    struct page page = {0};
    for (int i = 0; i < 5; i++) {
        put(&page, 20, 100 + 40.0f * (float)i, left[i]);
        put(&page, 300, 100 + 40.0f * (float)i, right[i]);
        put(&page, 600, 100 + 40.0f * (float)i, left[4 - i]);
    }
    expect(&page,
           "our bakery opens\non Monday after the\nrepairs with a new\noven that is big\nenough for all\n"
           "the choir looks for\ntwo tenors who can\nsing on Friday nights\nand like a good\njoke or two\n"
           "enough for all\noven that is big\nrepairs with a new\non Monday after the\nour bakery opens");
}

static void chat(void **state) {
    (void)state;
    struct page page = {0};
    for (int i = 0; i < 4; i++) {
        put(&page, 20, 100 + 120.0f * (float)i, "did you get home");
        put(&page, 300, 160 + 120.0f * (float)i, "yes just this minute");
    }
    expect(&page, "did you get home\nyes just this minute\ndid you get home\nyes just this minute\n"
                  "did you get home\nyes just this minute\ndid you get home\nyes just this minute");
}

static void edges(void **state) {
    (void)state;
    struct page page = {0};
    put(&page, 20, 50, "| = 8 AM - 6 PM =");
    put(&page, 20, 90, "- milk");
    put(&page, 20, 130, "\xe2\x80\x94 ~");
    put(&page, 20, 170, "* * *");
    put(&page, 20, 210, "$ git");
    expect(&page, "8 AM - 6 PM\n- milk\n$ git");
}

static void nothing(void **state) {
    (void)state;
    struct page page = {0};
    struct lp_ocr_reading empty = {0};
    struct lp_error err = {0};
    assert_true(lp_ocr_order(&empty, &err));
    assert_int_equal(empty.n, 0);
    put(&page, 0, 0, "= =");
    expect(&page, "");
}

static void memory(void **state) {
    (void)state;
    struct page page = {0};
    put(&page, 20, 50, "NO PARKING");
    for (long n = 1;; n++) {
        struct lp_ocr_reading reading = {.word = page.word, .n = page.n, .capacity = page.n};
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        bool ok = lp_ocr_order(&reading, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(ok, !failed);
        assert_int_equal(err.code, failed ? LP_EMEMORY : LP_OK);
        if (ok)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign),          cmocka_unit_test(receipt), cmocka_unit_test(columns),
        cmocka_unit_test(three_columns), cmocka_unit_test(chat),    cmocka_unit_test(edges),
        cmocka_unit_test(nothing),       cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
