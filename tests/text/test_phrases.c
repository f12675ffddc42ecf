/* SPDX-License-Identifier: MIT */
/* A caption as phrases, by example. tests/model/test_bert.c holds them against transformers. */
#include "base/memory.h"
#include "text/phrases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/*                       0      1      2      3      4    5    6     7      8    9 */
#define VOCABULARY "[PAD]\n[UNK]\n[CLS]\n[SEP]\ncat\ndog\nred\ncar\n.\n?\n"

static struct lp_wordpiece *vocabulary(const char *text) {
    struct lp_error err = {0};
    struct lp_wordpiece *w = lp_wordpiece_open_bytes(text, strlen(text), "it", &err);
    assert_non_null(w);
    return w;
}

static void expect_caption(const char *caption, size_t n, const char *want) {
    struct lp_error err = {0};
    struct lp_str got = {0};
    lp_str_puts(&got, "  ");
    assert_true(lp_phrases_caption(caption, n, &got, &err));
    assert_string_equal(got.s + 2, want);
    assert_int_equal(got.n - 2, strlen(want));
    lp_str_done(&got);
}

static void captions_end_in_a_stop(void **state) {
    (void)state;
    expect_caption("Cat . Red Car", 13, "cat . red car.");
    expect_caption("\n\xe3\x80\x80 Cat. \xc2\xa0", 12, "cat."); /* spaces as Python strips them */
    expect_caption("\xc3\x84pfel?", 7, "\xc3\xa4pfel?.");
    expect_caption("", 0, ".");
    expect_caption(" \t", 2, ".");
    expect_caption(".", 1, ".");
    expect_caption("a\xff", 2, "a\xef\xbf\xbd.");
}

static void phrases_make_a_caption(void **state) {
    (void)state;
    static const char *const phrase[] = {"cat", "red car"};
    struct lp_error err = {0};
    struct lp_str got = {0};
    assert_true(lp_phrases_join(phrase, 2, &got, &err));
    assert_string_equal(got.s, "cat . red car .");
    lp_str_done(&got);
}

/* "token@position" of all tokens, a bar before each stretch of those that see each other. */
static void expect(const struct lp_wordpiece *w, const char *caption, const char *want) {
    struct lp_error err = {0};
    struct lp_phrases p = {0};
    struct lp_str got = {0};
    assert_true(lp_phrases_read(w, caption, strlen(caption), &p, &err));
    assert_false(p.cut);
    assert_int_equal(p.start[p.count], p.ids.n);
    for (int64_t i = 0; i < p.count; i++) {
        lp_str_puts(&got, "|");
        for (int32_t t = p.start[i]; t < p.start[i + 1]; t++)
            lp_str_printf(&got, "%s%d@%d", t > p.start[i] ? " " : "", p.ids.id[t], p.position[t]);
    }
    assert_string_equal(lp_str_text(&got), want);
    lp_str_done(&got);
    lp_phrases_done(&p);
}

static void each_phrase_sees_itself(void **state) {
    (void)state;
    struct lp_wordpiece *w = vocabulary(VOCABULARY);
    expect(w, "cat . red car .", "|2@0|4@0 8@1|6@0 7@1 8@2|3@0");
    expect(w, "Cat? dog", "|2@0|4@0 9@1|5@0 8@1|3@0");
    expect(w, "", "|2@0|8@0|3@0");
    expect(w, "cat..", "|2@0|4@0 8@1|8@0|3@0");
    lp_wordpiece_close(w);
}

static void long_captions_are_cut(void **state) {
    (void)state;
    struct lp_wordpiece *w = vocabulary(VOCABULARY);
    struct lp_error err = {0};
    struct lp_str caption = {0};
    for (int i = 0; i < 10000; i++)
        lp_str_puts(&caption, i % 3 == 2 ? "red car . " : "red car ");
    struct lp_phrases p = {0};
    assert_true(lp_phrases_read(w, caption.s, caption.n, &p, &err));
    assert_true(p.cut);
    assert_int_equal(p.ids.n, LP_PHRASES_TOKENS);
    assert_int_equal(p.start[p.count],
                     LP_PHRASES_TOKENS); /* 36 whole phrases of 7 tokens, [CLS], 3 of the next */
    assert_int_equal(p.start[p.count - 1], 253);
    assert_int_equal(p.position[255], 2);
    lp_phrases_done(&p);
    lp_str_done(&caption);
    lp_wordpiece_close(w);
}

static void needs_a_full_stop(void **state) {
    (void)state;
    struct lp_wordpiece *w = vocabulary("[UNK]\n[CLS]\n[SEP]\n");
    struct lp_error err = {0};
    struct lp_phrases p = {0};
    assert_false(lp_phrases_read(w, "cat", 3, &p, &err));
    assert_int_equal(err.code, LP_EINPUT);
    lp_phrases_done(&p);
    lp_wordpiece_close(w);
}

static void survives_failing_allocations(void **state) {
    (void)state;
    struct lp_wordpiece *w = vocabulary(VOCABULARY);
    bool good = false;
    for (long n = 1; !good; n++) {
        struct lp_error err = {0};
        struct lp_phrases p = {0};
        lp_test_fail_alloc(n);
        good = lp_phrases_read(w, "cat . dog", 9, &p, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(good, !failed);
        assert_int_equal(err.code, good ? LP_OK : LP_EMEMORY);
        lp_phrases_done(&p);
    }
    lp_wordpiece_close(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_end_in_a_stop),  cmocka_unit_test(phrases_make_a_caption),
        cmocka_unit_test(each_phrase_sees_itself), cmocka_unit_test(long_captions_are_cut),
        cmocka_unit_test(needs_a_full_stop),       cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
