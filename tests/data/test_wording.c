/* SPDX-License-Identifier: MIT */
#include "data/wording.h"

#include "data/grammar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void plurals(void **state) {
    (void)state;
    static const struct {
        const char *text, *one, *many;
    } pairs[] = {
        {"dog", "dog", "dogs"},         {"bus", "bus", "buses"},       {"berry", "berry", "berries"},
        {"toy", "toy", "toys"},         {"church", "church", "churches"}, {"dish", "dish", "dishes"},
        {"box", "box", "boxes"},        {"mouse~mice", "mouse", "mice"}, {"red mouse~mice", "red mouse", "red mice"},
        {"t-shirt~t-shirts", "t-shirt", "t-shirts"},
        {"a fisherman~fishermen's hat", "a fisherman's hat", "a fishermen's hat"},
        {"elf~elves-goat hybrid", "elf-goat hybrid", "elves-goat hybrid"},
        {"rice~-", "rice", "rice"},     {"cup~cups of tea", "cup of tea", "cups of tea"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lp_str one = {0}, many = {0};
        lp_wording_number(pairs[i].text, false, &one);
        lp_wording_number(pairs[i].text, true, &many);
        assert_string_equal(lp_str_text(&one), pairs[i].one);
        assert_string_equal(lp_str_text(&many), pairs[i].many);
        lp_str_done(&one);
        lp_str_done(&many);
    }
}

static void tidies(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"  find  a  apple , please ?", "find an apple, please?"},
        {"a uniform, a hour and A owl", "a uniform, an hour and An owl"},
        {"I 'm here", "I'm here"},
        {"a \x01orange cat\x02 .", "an \x01orange cat\x02."},
        {"banana at a one way street", "banana at a one way street"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct lp_str s = {0};
        lp_str_puts(&s, pairs[i][0]);
        lp_wording_tidy(&s);
        assert_string_equal(lp_str_text(&s), pairs[i][1]);
        lp_str_done(&s);
    }
}

/* What stands between the marks has to survive any typing but lower case. */
static void typing_spares_marked_parts(void **state) {
    (void)state;
    struct lp_rng rng;
    lp_rng_seed(&rng, 7);
    bool changed = false;
    for (int i = 0; i < 500; i++) {
        struct lp_str s = {0};
        struct lp_typing typing;
        lp_typing_random(&typing, &rng);
        typing.lower = false;
        typing.typos = 3;
        lp_str_puts(&s, "please locate every \x01Spotted Zebra\x02 standing somewhere here.");
        lp_wording_type(&s, &typing, &rng);
        assert_non_null(strstr(lp_str_text(&s), "\x01Spotted Zebra\x02"));
        changed |= !strstr(lp_str_text(&s), "standing somewhere");
        lp_str_done(&s);
    }
    assert_true(changed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plurals),
        cmocka_unit_test(tidies),
        cmocka_unit_test(typing_spares_marked_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
