/* SPDX-License-Identifier: MIT */
/* A vocabulary given in arrays is the same tokenizer as the one that the arrays were taken from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "text/vocabulary.h"

#include <string.h>

#define GOLDEN LP_TESTS_DIR "/golden/tokenizer/"

static void encodes_as_the_file(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "tokenizer.model", GOLDEN "odd_user.model",
                                        GOLDEN "odd_tidy.model",  GOLDEN "odd_bare.model",
                                        GOLDEN "phrases.model",   GOLDEN "tokenizer.json"};
    static const char *const texts[] = {
        "the king is then aaaa <|im_start|> going", "  two  spaces\n\tand a tab ",
        "\xf0\x9f\xa4\x94\xf0\x9f\x9a\x80 caf\xc3\xa9 \xff </s> <image> \xe7\x9a\x84",
        "for (int i = 0; i < 42; i++)", ""};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        struct lp_error err = {0};
        struct lp_tokenizer *want = lp_tokenizer_open(files[f], &err);
        assert_non_null(want);
        struct lp_arena arena = {0};
        struct lp_token_list list;
        int n = lp_tokenizer_size(want) + 2;
        if (!lp_tokenizer_list(want, n, &arena, &list, &err))
            fail_msg("%s: %s", files[f], err.text);
        assert_int_equal(list.count, n);
        assert_memory_equal(list.token[n - 1].name, "[PAD", 4);
        assert_int_equal(list.token[n - 1].type, LP_PIECE_UNUSED);
        struct lp_tokenizer *got = lp_tokenizer_open_list(&list, "list", &err);
        if (!got)
            fail_msg("%s: %s", files[f], err.text);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            struct lp_ids a = {0}, b = {0};
            struct lp_str x = {0}, y = {0};
            assert_true(lp_tokenizer_encode_prompt(got, texts[i], strlen(texts[i]), &a, &err));
            assert_true(lp_tokenizer_encode_prompt(want, texts[i], strlen(texts[i]), &b, &err));
            if (a.n != b.n || memcmp(a.id, b.id, a.n * sizeof *a.id) != 0)
                fail_msg("%s: \"%s\" has other ids", files[f], texts[i]);
            assert_true(lp_tokenizer_decode(got, a.id, a.n, &x, &err));
            assert_true(lp_tokenizer_decode(want, b.id, b.n, &y, &err));
            assert_string_equal(lp_str_text(&x), lp_str_text(&y));
            lp_ids_done(&a);
            lp_ids_done(&b);
            lp_str_done(&x);
            lp_str_done(&y);
        }
        lp_arena_done(&arena);
        lp_tokenizer_close(got);
        lp_tokenizer_close(want);
    }
}

/* Spaces that end words instead of beginning them are no setting of a list. */
static void refuses_what_a_list_cannot_say(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_arena arena = {0};
    struct lp_token_list list;
    struct lp_tokenizer *t = lp_tokenizer_open(GOLDEN "odd_suffix.model", &err);
    assert_non_null(t);
    assert_false(lp_tokenizer_list(t, lp_tokenizer_size(t), &arena, &list, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "a list of tokens cannot say what this tokenizer does"));
    lp_tokenizer_close(t);
    lp_arena_done(&arena);
}

static void refuses_nonsense(void **state) {
    (void)state;
    static const struct lp_token tokens[] = {{"<unk>", 5, 0, 2}, {"<s>", 3, 0, 3}, {"a", 1, -1, 1}};
    const struct {
        struct lp_token_list list;
        const char *says;
    } cases[] = {
        {{tokens, 0, -1, -1, -1, true, true, false}, "list: it has 0 pieces"},
        {{tokens, LP_TOKENS_MOST + 1, -1, -1, -1, true, true, false}, "list: it has 1048577 pieces"},
        {{tokens, 3, 3, -1, -1, true, true, false}, "list: its BOS token 3"},
        {{tokens, 3, -1, 9, -1, true, true, false}, "list: its EOS token 9"},
        {{tokens, 3, -1, -1, 7, true, true, false}, "list: its padding token 7"},
        {{tokens + 1, 2, 0, -1, -1, true, true, false}, "list: it has no token for the unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lp_error err = {0};
        assert_null(lp_tokenizer_open_list(&cases[i].list, "list", &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (strncmp(err.text, cases[i].says, strlen(cases[i].says)) != 0)
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const struct lp_token tokens[] = {{"<unk>", 5, 0, 2}, {"<s>", 3, 0, 3}, {"a", 1, -1, 1}};
    const struct lp_token_list list = {tokens, 3, 1, -1, -1, true, true, false};
    bool opened = false;
    for (long n = 1; n < 100 && !opened; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_tokenizer *t = lp_tokenizer_open_list(&list, "list", &err);
        lp_test_fail_alloc(0);
        opened = t;
        assert_true(t || err.code == LP_EMEMORY);
        lp_tokenizer_close(t);
    }
    assert_true(opened);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_as_the_file),
        cmocka_unit_test(refuses_what_a_list_cannot_say),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
