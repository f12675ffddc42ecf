/* SPDX-License-Identifier: MIT */
/* BERT's tokenizer: transformers' ids for thousands of strings (tools/golden/wordpiece.py), what it does by
 * example, and the files it refuses. */
#include "base/file.h"
#include "base/memory.h"
#include "text/wordpiece.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GOLDEN LP_TESTS_DIR "/golden/wordpiece/"

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

static void check_ids(const struct lp_wordpiece *w, const struct lp_str *text, const struct lp_ids *want,
                      size_t number) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    assert_true(lp_wordpiece_encode(w, lp_str_text(text), text->n, &ids, &err));
    if (ids.n != want->n || (ids.n && memcmp(ids.id, want->id, ids.n * sizeof *ids.id) != 0)) {
        for (size_t i = 0; i < want->n || i < ids.n; i++)
            print_error("%d/%d ", i < ids.n ? ids.id[i] : -1, i < want->n ? want->id[i] : -1);
        fail_msg("case %zu: other ids (ours/theirs above) for \"%s\"", number, lp_str_text(text));
    }
    lp_ids_done(&ids);
}

static void check_decoded(const struct lp_wordpiece *w, const struct lp_ids *ids, const struct lp_str *want,
                          size_t number) {
    struct lp_error err = {0};
    struct lp_str got = {0};
    lp_str_puts(&got, " . "); /* what is there already stays */
    assert_true(lp_wordpiece_decode(w, ids->id, ids->n, &got, &err));
    if (strncmp(got.s, " . ", 3) != 0 || strcmp(got.s + 3, lp_str_text(want)) != 0)
        fail_msg("case %zu: decoded to \"%s\", not \"%s\"", number, got.s + 3, lp_str_text(want));
    lp_str_done(&got);
}

/* Returns how many cases there were. The format is described in tools/golden/wordpiece.py. */
static size_t check_all(const struct lp_wordpiece *w) {
    struct lp_error err = {0};
    struct lp_file file;
    struct lp_str text = {0}, decoded = {0};
    struct lp_ids want = {0};
    size_t cases = 0;
    assert_true(lp_file_open(&file, GOLDEN "wordpiece.cases", &err));
    for (size_t at = 0; at < file.size; cases++) {
        lp_str_cut(&text, 0);
        lp_str_cut(&decoded, 0);
        want.n = 0;
        bool has_decoded = read_number(&file, &at) & 1;
        size_t repeats = read_number(&file, &at);
        read_bytes(&file, &at, repeats, &text);
        for (size_t n = read_number(&file, &at); n; n--)
            assert_true(lp_ids_push(&want, (int32_t)read_number(&file, &at), &err));
        check_ids(w, &text, &want, cases);
        if (!has_decoded)
            continue;
        read_bytes(&file, &at, 1, &decoded);
        check_decoded(w, &want, &decoded, cases);
    }
    lp_file_close(&file);
    lp_str_done(&text);
    lp_str_done(&decoded);
    lp_ids_done(&want);
    return cases;
}

static struct lp_wordpiece *open_file(const char *path) {
    struct lp_error err = {0};
    struct lp_file file;
    assert_true(lp_file_open(&file, path, &err));
    struct lp_wordpiece *w = lp_wordpiece_open_bytes(file.data, file.size, path, &err);
    lp_file_close(&file);
    if (!w)
        fail_msg("%s", err.text);
    return w;
}

static void gives_transformers_ids(void **state) {
    (void)state;
    static const char *const files[] = {GOLDEN "vocab.txt", GOLDEN "tokenizer.json"};
    for (int i = 0; i < 2; i++) {
        struct lp_wordpiece *w = open_file(files[i]);
        assert_true(check_all(w) >= 5000);
        lp_wordpiece_close(w);
    }
}

#define SPECIAL "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"

static struct lp_wordpiece *open_text(const char *text, struct lp_error *err) {
    return lp_wordpiece_open_bytes(text, strlen(text), "it", err);
}

static void expect_ids(const struct lp_wordpiece *w, const char *text, size_t n, const char *want) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct lp_str got = {0};
    assert_true(lp_wordpiece_encode(w, text, n, &ids, &err));
    for (size_t i = 0; i < ids.n; i++)
        lp_str_printf(&got, "%s%d", i ? " " : "", ids.id[i]);
    assert_string_equal(lp_str_text(&got), want);
    lp_str_done(&got);
    lp_ids_done(&ids);
}

/* The paper's example: the longest piece first, then the longest rest. */
static void takes_the_longest_pieces(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_wordpiece *w = open_text(SPECIAL "un\n##aff\n##able\nunaffa\n.\n##a\r\n", &err);
    assert_non_null(w);
    assert_int_equal(lp_wordpiece_size(w), 10);
    assert_int_equal(lp_wordpiece_cls(w), 2);
    assert_int_equal(lp_wordpiece_sep(w), 3);
    assert_int_equal(lp_wordpiece_find(w, "##a", 3), 9);
    expect_ids(w,
               "Un\xc3\xa4"
               "ffable.",
               11, "1 8"); /* "unaffa" first: then no piece makes "ble" */
    expect_ids(w, "unable unaff", 12, "4 6 4 5");
    expect_ids(w, "un[SEP]a \xff\xc3 un\0aff", 18, "4 3 1 4 5"); /* broken bytes and NULs are left out */
    lp_wordpiece_close(w);
}

static void refuses_other_files(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "0 bytes"},
        {"{", "not valid JSON"},
        {"{}", "no WordPiece model"},
        {" {\"model\": {\"type\": \"BPE\", \"vocab\": {}}}", "no WordPiece model"},
        {"[UNK]\n[CLS]\n", "no piece [SEP]"},
        {SPECIAL "a\na\n", "same name"},
        {SPECIAL "a\n\nb\n", "0 bytes"},
        {SPECIAL "\xff\n", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        assert_null(open_text(bad[i].text, &err));
        if (err.code != LP_EINPUT || !strstr(err.text, bad[i].says))
            fail_msg("\"%s\": %s", bad[i].text, err.text);
    }
}

/* The good tokenizer.json with `from` written as `to`. */
static void refuses_other_rules(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } edit[] = {
        {"\"lowercase\":true", "\"lowercase\":false", "uncased"},
        {"\"strip_accents\":null", "\"strip_accents\":false", "uncased"},
        {"\"clean_text\":true", "\"clean_text\":null", "uncased"},
        {"\"type\":\"BertPreTokenizer\"", "\"type\":\"Whitespace\"", "pre_tokenizer"},
        {"\"max_input_chars_per_word\":100", "\"max_input_chars_per_word\":10", "max_input_chars_per_word"},
        {"\"continuing_subword_prefix\":\"##\"", "\"continuing_subword_prefix\":\"@@\"", "##"},
        {"\"unk_token\":\"[UNK]\"", "\"unk_token\":\"?\"", "[UNK]"},
        {"\"lstrip\":false", "\"lstrip\":true", "flag"},
        {"\"content\":\"[PAD]\"", "\"content\":\"!\"", "name of piece"},
        {"\"[CLS]\":2", "\"[CLS]\":-2", "whole numbers"},
        {"\"[CLS]\":2", "\"[CLS]\":2000000000", "whole numbers"},
        {"\"[CLS]\":2", "\"[CLS]\":3", "have the id"},
    };
    for (size_t i = 0; i < sizeof edit / sizeof *edit; i++) {
        struct lp_error err = {0};
        struct lp_str text = {0};
        size_t n;
        char *good = lp_file_read(GOLDEN "tokenizer.json", 1 << 20, &n, &err),
             *at = strstr(good, edit[i].from);
        if (!at)
            fail_msg("no %s", edit[i].from);
        lp_str_add(&text, good, (size_t)(at - good));
        lp_str_puts(&text, edit[i].to);
        lp_str_puts(&text, at + strlen(edit[i].from));
        struct lp_wordpiece *w = open_text(text.s, &err);
        if (w || err.code != LP_EINPUT || !strstr(err.text, edit[i].says))
            fail_msg("%s: %s", edit[i].to, w ? "accepted" : err.text);
        lp_str_done(&text);
        lp_free(good);
    }
}

static void write_text(const char *folder, const char *name, const char *text) {
    char path[200];
    struct lp_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!lp_file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.text);
}

static void remove_file(const char *folder, const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static void opens_folders(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_wordpiece *w = lp_wordpiece_open(LP_TESTS_DIR "/golden/wordpiece", &err);
    assert_non_null(w);
    lp_wordpiece_close(w);
    char folder[] = "/tmp/lp_test_XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_null(lp_wordpiece_open(folder, &err));
    assert_int_equal(err.code, LP_EMISSING);
    write_text(folder, "vocab.txt", SPECIAL "a");
    write_text(folder, "tokenizer_config.json", "{\"do_lower_case\": true}");
    w = lp_wordpiece_open(folder, &err);
    assert_non_null(w);
    expect_ids(w, "A b", 3, "4 1");
    lp_wordpiece_close(w);
    write_text(folder, "tokenizer_config.json", "{\"do_lower_case\": false}");
    assert_null(lp_wordpiece_open(folder, &err));
    assert_non_null(strstr(err.text, "uncased"));
    remove_file(folder, "tokenizer_config.json");
    write_text(folder, "tokenizer.json", "[]");
    assert_null(lp_wordpiece_open(folder, &err)); /* it comes before vocab.txt */
    assert_non_null(strstr(err.text, "tokenizer.json"));
    remove_file(folder, "tokenizer.json");
    remove_file(folder, "vocab.txt");
    rmdir(folder);
}

/* Opens, encodes and decodes. True when everything worked. */
static bool work(const char *data, size_t size, struct lp_error *err) {
    struct lp_ids ids = {0};
    struct lp_str out = {0};
    struct lp_wordpiece *w = lp_wordpiece_open_bytes(data, size, "it", err);
    bool good = w != NULL;
    for (int i = 0; good && i < 20; i++) { /* past the list's first growth */
        size_t before = ids.n;
        good = lp_wordpiece_encode(w, "the red car [SEP] zzz.", 22, &ids, err);
        if (!good)
            assert_int_equal(ids.n, before);
    }
    good = good && lp_wordpiece_decode(w, ids.id, ids.n, &out, err);
    lp_ids_done(&ids);
    lp_str_done(&out);
    lp_wordpiece_close(w);
    return good;
}

static void survives_failing_allocations(void **state) {
    (void)state;
    static const char *const text[] = {
        SPECIAL "red\ncar\n",
        "{\"added_tokens\": [{\"id\": 1, \"content\": \"[SEP]\"}], \"normalizer\": {\"type\": "
        "\"BertNormalizer\", "
        "\"lowercase\": true, \"clean_text\": true, \"handle_chinese_chars\": true}, \"pre_tokenizer\": "
        "{\"type\": "
        "\"BertPreTokenizer\"}, \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", "
        "\"continuing_subword_prefix\": \"##\", \"vocab\": {\"[UNK]\": 0, \"[CLS]\": 2, \"red\": 3}}}"};
    for (int i = 0; i < 2; i++) {
        bool good = false;
        for (long n = 1; !good; n++) {
            struct lp_error err = {0};
            lp_test_fail_alloc(n);
            good = work(text[i], strlen(text[i]), &err);
            bool failed = lp_test_alloc_failed();
            lp_test_fail_alloc(0);
            assert_int_equal(good, !failed);
            assert_int_equal(err.code, good ? LP_OK : LP_EMEMORY);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_transformers_ids), cmocka_unit_test(takes_the_longest_pieces),
        cmocka_unit_test(refuses_other_files),    cmocka_unit_test(refuses_other_rules),
        cmocka_unit_test(opens_folders),          cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
