/* SPDX-License-Identifier: MIT */
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_next_reads_one_character(void **state) {
    (void)state;
    uint32_t cp;
    assert_int_equal(lp_utf8_next("a", 1, &cp), 1);
    assert_int_equal(cp, 'a');
    assert_int_equal(lp_utf8_next("\xc3\xa9t", 3, &cp), 2);
    assert_int_equal(cp, 0xe9);
    assert_int_equal(lp_utf8_next("\xe2\x96\x81", 3, &cp), 3);
    assert_int_equal(cp, 0x2581);
    assert_int_equal(lp_utf8_next("\xf0\x9f\xa4\x94", 4, &cp), 4);
    assert_int_equal(cp, 0x1f914);
    assert_int_equal(lp_utf8_next("\0", 1, &cp), 1);
    assert_int_equal(cp, 0);
    assert_int_equal(lp_utf8_next("\xef\xbf\xbf", 3, NULL), 3);
}

static void test_next_refuses_what_unicode_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xc3",
        "\xe2\x96",
        "\xf0\x9f\xa4",
        "\xe2\x28\xa1",
        "\xf8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(lp_utf8_next(bad[i], strlen(bad[i]), NULL), 0);
        assert_false(lp_utf8_valid(bad[i], strlen(bad[i])));
    }
    assert_int_equal(lp_utf8_next("", 0, NULL), 0);
    assert_true(lp_utf8_valid("", 0));
}

/* Every code point there and back, and every cut of it known as a cut. */
static void test_all_code_points(void **state) {
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        char bytes[4];
        uint32_t back = 0;
        int n = lp_utf8_put(bytes, cp);
        assert_true(lp_utf8_next(bytes, (size_t)n, &back) == n && back == cp);
        for (int cut = 1; cut < n; cut++)
            assert_true(lp_utf8_is_cut(bytes, (size_t)cut));
        assert_false(lp_utf8_is_cut(bytes, (size_t)n));
    }
}

/* Two and three bytes are a cut exactly where some more bytes complete them. */
static void test_is_cut_is_exact(void **state) {
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char s[4] = {(char)a, (char)b, (char)0x80, (char)0x80};
            bool completes = (a >= 0xe0 && lp_utf8_next(s, 4, NULL) >= 3);
            assert_int_equal(lp_utf8_is_cut(s, 2), completes);
        }
}

static void test_put_replaces_what_is_no_character(void **state) {
    (void)state;
    char bytes[4];
    assert_int_equal(lp_utf8_put(bytes, 0xd800), 3);
    assert_memory_equal(bytes, LP_UTF8_REPLACEMENT, 3);
    assert_int_equal(lp_utf8_put(bytes, 0x110000), 3);
    assert_memory_equal(bytes, LP_UTF8_REPLACEMENT, 3);
}

static void test_clean(void **state) {
    (void)state;
    struct lp_str out = {0};
    lp_utf8_clean("a\xff\xc3\xa9\xe2\x96", 6, &out);
    assert_string_equal(lp_str_text(&out), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    lp_str_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_reads_one_character),
        cmocka_unit_test(test_next_refuses_what_unicode_refuses),
        cmocka_unit_test(test_all_code_points),
        cmocka_unit_test(test_is_cut_is_exact),
        cmocka_unit_test(test_put_replaces_what_is_no_character),
        cmocka_unit_test(test_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
