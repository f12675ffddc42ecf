/* SPDX-License-Identifier: MIT */
/* Base64: the vectors of RFC 4648, what is refused, and pieces' borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

#include <string.h>

static void knows_the_vectors(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},           {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct lp_str coded = {0}, plain = {0};
        lp_base64_add(&coded, (const uint8_t *)vectors[i][0], strlen(vectors[i][0]));
        assert_string_equal(lp_str_text(&coded), vectors[i][1]);
        assert_true(lp_base64_parse(&plain, vectors[i][1], strlen(vectors[i][1])));
        assert_string_equal(lp_str_text(&plain), vectors[i][0]);
        lp_str_done(&coded);
        lp_str_done(&plain);
    }
}

static void refuses_what_is_none(void **state) {
    (void)state;
    static const char *const none[] = {"Zg",   "Zg=",  "Zm9", "Zm9v Zm9", "Z===", "====", "=Zm9", "Zg==Zg==",
                                       "Zh==", "Zm9=", "Zm-v", "Zm_v",     "Zm9\xff", "\nZm9", "Zm9v\n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct lp_str plain = {0};
        if (lp_base64_parse(&plain, none[i], strlen(none[i])))
            fail_msg("'%s' was read", none[i]);
        lp_str_done(&plain);
    }
}

static void keeps_all_bytes(void **state) {
    (void)state;
    for (size_t n = 760; n < 1545; n++) {
        uint8_t bytes[1545];
        struct lp_str coded = {0}, plain = {0};
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(i * i + n);
        lp_base64_add(&coded, bytes, n);
        assert_int_equal(coded.n, (n + 2) / 3 * 4);
        assert_true(lp_base64_parse(&plain, coded.s, coded.n));
        assert_int_equal(plain.n, n);
        assert_memory_equal(plain.s, bytes, n);
        lp_str_done(&coded);
        lp_str_done(&plain);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_vectors),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(keeps_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
