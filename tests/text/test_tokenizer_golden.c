/* SPDX-License-Identifier: MIT */
/* The SentencePiece library's ids for thousands of strings, from tools/golden/tokenizer.py. */
#include "base/file.h"
#include "base/memory.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN LP_TESTS_DIR "/golden/tokenizer/"

struct golden_case {
    bool is_utf8;
    struct lp_str text, decoded;
    struct lp_ids ids;
};

static size_t read_number(const struct lp_file *f, size_t *at) {
    size_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(*at < f->size);
        uint8_t byte = f->data[(*at)++];
        value |= (size_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
}

static void read_bytes(const struct lp_file *f, size_t *at, size_t repeats, struct lp_str *out) {
    size_t n = read_number(f, at);
    assert_true(n <= f->size - *at);
    for (size_t i = 0; i < repeats; i++)
        lp_str_add(out, (const char *)f->data + *at, n);
    *at += n;
}

/* The format is described in tools/golden/tokenizer.py. */
static void read_case(const struct lp_file *f, size_t *at, struct golden_case *c) {
    lp_str_cut(&c->text, 0);
    lp_str_cut(&c->decoded, 0);
    c->ids.n = 0;
    size_t flags = read_number(f, at), repeats = read_number(f, at);
    c->is_utf8 = flags & 1;
    read_bytes(f, at, repeats, &c->text);
    for (size_t n = read_number(f, at); n; n--)
        assert_true(lp_ids_push(&c->ids, (int32_t)read_number(f, at), NULL));
    if (flags & 2)
        read_bytes(f, at, 1, &c->decoded);
    else
        lp_str_add(&c->decoded, lp_str_text(&c->text), c->text.n);
}

static void check_case(const struct lp_tokenizer *t, const struct golden_case *c, size_t number) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct lp_str decoded = {0};
    assert_true(lp_tokenizer_encode(t, lp_str_text(&c->text), c->text.n, &ids, &err));
    if (ids.n != c->ids.n || (ids.n && memcmp(ids.id, c->ids.id, ids.n * sizeof *ids.id) != 0)) {
        for (size_t i = 0; i < c->ids.n || i < ids.n; i++)
            print_error("%d/%d ", i < ids.n ? ids.id[i] : -1, i < c->ids.n ? c->ids.id[i] : -1);
        fail_msg("case %zu: other ids (ours/theirs above) for \"%s\"", number, lp_str_text(&c->text));
    }
    assert_true(lp_tokenizer_decode(t, ids.id, ids.n, &decoded, &err));
    if (decoded.n != c->decoded.n || memcmp(lp_str_text(&decoded), lp_str_text(&c->decoded), decoded.n) != 0)
        fail_msg("case %zu: decoded to \"%s\", not \"%s\"", number, lp_str_text(&decoded),
                 lp_str_text(&c->decoded));
    lp_ids_done(&ids);
    lp_str_done(&decoded);
}

/* Returns how many cases there were. */
static size_t check_all(const char *model, const char *cases) {
    struct lp_error err = {0};
    struct lp_file file;
    struct golden_case c = {0};
    size_t n = 0, at = 0;
    struct lp_tokenizer *t = lp_tokenizer_open(model, &err);
    if (!t)
        fail_msg("%s", err.text);
    assert_true(lp_file_open(&file, cases, &err));
    while (at < file.size) {
        read_case(&file, &at, &c);
        assert_int_equal(c.is_utf8, lp_utf8_valid(lp_str_text(&c.text), c.text.n));
        check_case(t, &c, n++);
    }
    lp_file_close(&file);
    lp_tokenizer_close(t);
    lp_str_done(&c.text);
    lp_str_done(&c.decoded);
    lp_ids_done(&c.ids);
    return n;
}

static void test_model(void **state) {
    (void)state;
    assert_true(check_all(GOLDEN "tokenizer.model", GOLDEN "tokenizer.cases") >= 5000);
}

static void test_json(void **state) {
    (void)state;
    assert_true(check_all(GOLDEN "tokenizer.json", GOLDEN "tokenizer.cases") >= 5000);
}

/* User-defined, unused and unknown pieces, equal scores, and every way to treat spaces. */
static void test_odd_models(void **state) {
    (void)state;
    assert_true(check_all(GOLDEN "odd_user.model", GOLDEN "odd_user.cases") > 400);
    assert_true(check_all(GOLDEN "odd_tidy.model", GOLDEN "odd_tidy.cases") > 400);
    assert_true(check_all(GOLDEN "odd_bare.model", GOLDEN "odd_bare.cases") > 400);
    assert_true(check_all(GOLDEN "odd_suffix.model", GOLDEN "odd_suffix.cases") > 400);
    assert_true(check_all(GOLDEN "odd_space.model", GOLDEN "odd_space.cases") > 400);
}

/* A space is a piece of its own, and so are whole phrases. */
static void test_phrases(void **state) {
    (void)state;
    assert_true(check_all(GOLDEN "phrases.model", GOLDEN "phrases.cases") >= 120);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_odd_models),
        cmocka_unit_test(test_phrases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
