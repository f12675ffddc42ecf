/* SPDX-License-Identifier: MIT */
/* How the tokenizer is used, with the golden model's ids (tools/golden/tokenizer.py). The model has LLaMA's
 * settings, not LLaMA's vocabulary. */
#include "text/tokenizer.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN LP_TESTS_DIR "/golden/tokenizer/"
#define SEEDS LP_TESTS_DIR "/fuzz/seeds/tokenizer/"
#define SPACE "\xe2\x96\x81"
#define IDS(...) ((const int32_t[]){__VA_ARGS__}), sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

static int open_golden(void **state) {
    struct lp_error err = {0};
    *state = lp_tokenizer_open(GOLDEN "tokenizer.model", &err);
    return *state ? 0 : -1;
}

static int close_golden(void **state) {
    lp_tokenizer_close(*state);
    return 0;
}

typedef bool encode(const struct lp_tokenizer *, const char *, size_t, struct lp_ids *, struct lp_error *);

static void expect_ids(encode *how, const struct lp_tokenizer *t, const char *text, const int32_t *id,
                       size_t n) {
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    if (!how(t, text, strlen(text), &ids, &err))
        fail_msg("%s", err.text);
    for (size_t i = 0; ids.n == n && i < n; i++)
        if (ids.id[i] != id[i])
            fail_msg("\"%s\": id %zu is %d, not %d", text, i, ids.id[i], id[i]);
    if (ids.n != n)
        fail_msg("\"%s\" has %zu ids, not %zu", text, ids.n, n);
    lp_ids_done(&ids);
}

static void test_encode_adds_the_dummy_prefix_but_no_bos(void **state) {
    expect_ids(lp_tokenizer_encode, *state, "the", IDS(892)); /* "(space)the", though no space stands there */
    expect_ids(lp_tokenizer_encode, *state, "  the", IDS(259, 892));
    expect_ids(lp_tokenizer_encode, *state, "\n", IDS(2058, 13));         /* a lone space, then byte 0x0A */
    expect_ids(lp_tokenizer_encode, *state, "42", IDS(2058, 2736, 2364)); /* each digit by itself */
    expect_ids(lp_tokenizer_encode, *state, "", NULL, 0);
}

static void test_encode_takes_control_names_as_text(void **state) {
    expect_ids(lp_tokenizer_encode, *state, "</s>", IDS(494, 2231, 2064, 2351));
}

static void test_unknown_characters_become_byte_tokens(void **state) {
    expect_ids(lp_tokenizer_encode, *state, "\xf0\x9f\xa4\x94", IDS(2058, 243, 162, 167, 151));
    expect_ids(lp_tokenizer_encode, *state, "\xff", IDS(2058, 3 + 0xef, 3 + 0xbf, 3 + 0xbd)); /* U+FFFD */
}

static void test_encode_appends(void **state) {
    struct lp_ids ids = {0};
    assert_true(lp_ids_push(&ids, lp_tokenizer_bos(*state), NULL));
    assert_true(lp_tokenizer_encode(*state, "the", 3, &ids, NULL));
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.id[0], 1);
    assert_int_equal(ids.id[1], 892);
    lp_ids_done(&ids);
}

/* original-system.md 1.8: each stretch between pictures is encoded by itself, with its own dummy prefix, and
 * the whole has one BOS. */
static void test_prompt_is_split_at_images(void **state) {
    expect_ids(lp_tokenizer_encode_prompt, *state, "<image>\nb", IDS(1, LP_IMAGE_TOKEN, 2058, 13, 2085));
    expect_ids(
        lp_tokenizer_encode_prompt, *state, "### Human: <image>\nDetect",
        IDS(1, 1738, 2702, 2702, 511, 372, 269, 2094, 2058, LP_IMAGE_TOKEN, 2058, 13, 2138, 1181, 790));
    expect_ids(lp_tokenizer_encode_prompt, *state, "<image><image>the",
               IDS(1, LP_IMAGE_TOKEN, LP_IMAGE_TOKEN, 892));
    expect_ids(lp_tokenizer_encode_prompt, *state, "the<image>", IDS(1, 892, LP_IMAGE_TOKEN));
    expect_ids(lp_tokenizer_encode_prompt, *state, "the", IDS(1, 892));
    expect_ids(lp_tokenizer_encode_prompt, *state, "", IDS(1));
    expect_ids(lp_tokenizer_encode_prompt, *state, "<image", IDS(1, 494, 2061, 328, 481));
}

/* The v1 template ends a turn in "</s>"; the reference's tokenizer knows it inside a prompt. */
static void test_prompt_knows_the_ends_of_turns(void **state) {
    expect_ids(lp_tokenizer_encode_prompt, *state, "b</s>USER: a",
               IDS(1, 290, 2, 407, 2106, 1175, 2094, 276));
    expect_ids(lp_tokenizer_encode_prompt, *state, "b</s>", IDS(1, 290, 2));
}

static void test_what_tokens_are(void **state) {
    const struct lp_tokenizer *t = *state;
    size_t n;
    assert_int_equal(lp_tokenizer_size(t), 3000);
    assert_int_equal(lp_tokenizer_unk(t), 0);
    assert_int_equal(lp_tokenizer_bos(t), 1);
    assert_int_equal(lp_tokenizer_eos(t), 2);
    assert_int_equal(lp_tokenizer_pad(t), -1);
    assert_true(lp_tokenizer_is_control(t, 1) && lp_tokenizer_is_control(t, 2));
    assert_true(lp_tokenizer_is_control(t, -1) && lp_tokenizer_is_control(t, 3000));
    assert_false(lp_tokenizer_is_control(t, 13) || lp_tokenizer_is_control(t, 892));
    assert_memory_equal(lp_tokenizer_piece(t, 892, &n), " the", 4);
    assert_int_equal(n, 4);
    assert_memory_equal(lp_tokenizer_piece(t, 3 + 0xf0, &n), "\xf0", 1);
    assert_int_equal(n, 1);
    assert_non_null(lp_tokenizer_piece(t, 2, &n));
    assert_int_equal(n, 0);
    assert_non_null(lp_tokenizer_piece(t, LP_IMAGE_TOKEN, &n));
    assert_int_equal(n, 0);
    assert_int_equal(lp_tokenizer_find(t, SPACE "the", 6), 892);
    assert_int_equal(lp_tokenizer_find(t, "</s>", 4), 2);
    assert_int_equal(lp_tokenizer_find(t, "<0x0A>", 6), 13);
    assert_int_equal(lp_tokenizer_find(t, "no such piece", 13), -1);
    assert_int_equal(lp_tokenizer_find(t, "", 0), -1);
}

static void expect_text(const struct lp_tokenizer *t, const char *text, const int32_t *id, size_t n) {
    struct lp_str out = {0};
    assert_true(lp_tokenizer_decode(t, id, n, &out, NULL));
    assert_string_equal(lp_str_text(&out), text);
    lp_str_done(&out);
}

static void test_decode(void **state) {
    expect_text(*state, "the", IDS(892));
    expect_text(*state, "the the", IDS(892, 892));
    expect_text(*state, " the", IDS(2058, 892));
    expect_text(*state, "the", IDS(1, 892, 2));
    expect_text(*state, "\nthe", IDS(2058, 13, 3 + 't', 3 + 'h', 3 + 'e'));
    expect_text(*state, "A the", IDS(3 + 'A', 892)); /* no space to take off at the start */
    expect_text(*state, "\xf0\x9f\xa4\x94", IDS(2058, 243, 162, 167, 151));
    expect_text(*state, "\xef\xbf\xbd\xef\xbf\xbd the", IDS(243, 162, 892)); /* half an emoji */
    expect_text(*state, "\xef\xbf\xbd", IDS(3 + 0x80));
    expect_text(*state, "the", IDS(LP_IMAGE_TOKEN, 892, -1, 3000));
    expect_text(*state, "", NULL, 0);
}

/* Three pieces that start with U+2581, after models that treat spaces in three ways. */
static void test_decode_takes_off_what_the_model_put_on(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"odd_tidy", "the"}, {"odd_user", "  the"}, {"odd_bare", "   the"}};
    for (size_t i = 0; i < 3; i++) {
        char path[1000];
        snprintf(path, sizeof path, GOLDEN "%s.model", cases[i][0]);
        struct lp_tokenizer *t = lp_tokenizer_open(path, NULL);
        assert_non_null(t);
        int32_t space = lp_tokenizer_find(t, SPACE, 3), the = lp_tokenizer_find(t, SPACE "the", 6);
        expect_text(t, cases[i][1], IDS(space, space, the));
        expect_text(t, " \xe2\x81\x87  the", IDS(0, the));
        lp_tokenizer_close(t);
    }
}

/* Nothing is shown of a character before it is whole. */
static void test_stream_holds_back_half_characters(void **state) {
    struct lp_token_stream s;
    struct lp_str out = {0};
    lp_token_stream_init(&s, *state);
    static const int32_t emoji[] = {2058, 243, 162, 167};
    for (size_t i = 0; i < 4; i++)
        lp_token_stream_push(&s, emoji[i], &out);
    assert_int_equal(out.n, 0);
    lp_token_stream_push(&s, 151, &out);
    assert_string_equal(lp_str_text(&out), "\xf0\x9f\xa4\x94");
    lp_token_stream_push(&s, 243, &out);
    lp_token_stream_push(&s, 892, &out);
    assert_string_equal(lp_str_text(&out), "\xf0\x9f\xa4\x94\xef\xbf\xbd the");
    lp_token_stream_push(&s, 3 + 0xe2, &out);
    lp_token_stream_end(&s, &out);
    assert_string_equal(lp_str_text(&out), "\xf0\x9f\xa4\x94\xef\xbf\xbd the\xef\xbf\xbd");
    lp_str_done(&out);
}

static void test_stream_goes_on_after_a_prompt(void **state) {
    struct lp_token_stream s;
    struct lp_str out = {0};
    lp_token_stream_init(&s, *state);
    s.started = true;
    lp_token_stream_push(&s, 892, &out);
    assert_string_equal(lp_str_text(&out), " the");
    lp_str_done(&out);
}

/* A quadratic tokenizer would take minutes for these. */
static void test_long_texts(void **state) {
    static const char *const unit[] = {"a", "the cat, ", " ", "\xff"};
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        struct lp_str text = {0};
        struct lp_ids ids = {0};
        struct lp_error err = {0};
        while (text.n < 300000)
            lp_str_puts(&text, unit[i]);
        assert_true(lp_tokenizer_encode(*state, text.s, text.n, &ids, &err));
        assert_true(ids.n > 300000 / 16);
        lp_str_done(&text);
        lp_ids_done(&ids);
    }
}

/* Ids from the tokenizers library, version 0.23, for the same files. */
static void test_json_spaces(void **state) {
    (void)state;
    static const char format[] =
        "{\"added_tokens\": [], \"normalizer\": %s, \"pre_tokenizer\": %s, \"model\": {\"type\": \"BPE\","
        "\"unk_token\": \"<unk>\", \"fuse_unk\": true, \"vocab\": {\"<unk>\": 0, \"" SPACE "\": 3, \"a\": 4,"
        "\"b\": 5, \"" SPACE "a\": 6, \"" SPACE SPACE "\": 7, \"ab\": 8},"
        "\"merges\": [\"" SPACE " a\", [\"" SPACE "\", \"" SPACE "\"], \"a b\"]}}";
#define PREPEND "{\"type\": \"Prepend\", \"prepend\": \"" SPACE "\"}"
#define REPLACE "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"" SPACE "\"}"
#define BOTH "{\"type\": \"Sequence\", \"normalizers\": [" PREPEND ", " REPLACE "]}"
#define METASPACE(more) "{\"type\": \"Metaspace\", \"replacement\": \"" SPACE "\", " more "}"
    static const struct {
        const char *normalizer, *pre_tokenizer, *text;
        int n;
        int32_t id[5];
    } cases[] = {
        {BOTH, "null", "ab", 2, {6, 5}},
        {BOTH, "null", "  a", 2, {7, 6}},
        {BOTH, "null", "xx a", 3, {3, 0, 6}},
        {REPLACE, "null", "  a", 2, {3, 6}},
        {"null", "null", "a a", 3, {4, 0, 4}},
        {"null", METASPACE("\"prepend_scheme\": \"first\", \"split\": false"), "ab", 2, {6, 5}},
        {"null", METASPACE("\"prepend_scheme\": \"first\", \"split\": false"), "  a", 2, {3, 6}},
        {"null", METASPACE("\"prepend_scheme\": \"first\", \"split\": false"), SPACE "a", 1, {6}},
        {"null", METASPACE("\"prepend_scheme\": \"first\", \"split\": false"), "a   ", 3, {6, 7, 3}},
        {"null", METASPACE("\"prepend_scheme\": \"always\", \"split\": true"), "a   ", 4, {6, 3, 3, 3}},
        {"null", METASPACE("\"prepend_scheme\": \"never\", \"split\": false"), "ab", 1, {8}},
        {"null", METASPACE("\"add_prefix_space\": true"), "a   ", 4, {6, 3, 3, 3}},
        {BOTH, METASPACE("\"prepend_scheme\": \"first\", \"split\": false"), " a", 2, {3, 6}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lp_str json = {0};
        struct lp_error err = {0};
        lp_str_printf(&json, format, cases[i].normalizer, cases[i].pre_tokenizer);
        struct lp_tokenizer *t = lp_tokenizer_open_bytes(json.s, json.n, "tokenizer.json", &err);
        if (!t)
            fail_msg("%s", err.text);
        expect_ids(lp_tokenizer_encode, t, cases[i].text, cases[i].id, (size_t)cases[i].n);
        lp_tokenizer_close(t);
        lp_str_done(&json);
    }
}

/* Files that are refused: the seeds of the fuzz target, by name. */
static void test_bad_files_are_refused_with_a_sentence(void **state) {
    (void)state;
    static const struct {
        const char *file, *says;
    } cases[] = {
        {"cut_9.model", "damaged"},
        {"lying_name.model", "damaged"},
        {"longer_piece.model", "damaged"},
        {"text.model", "neither"},
        {"empty.model", "0 bytes"},
        {"unigram.model", "unigram model"},
        {"no_trainer.model", "unigram model"},
        {"charsmap.model", "identity normalisation"},
        {"denormalizer.model", "identity normalisation"},
        {"no_pieces.model", "0 pieces"},
        {"doubled.model", "pieces 3 and 18 have the same name"},
        {"empty_name.model", "piece 18 has a name of 0 bytes"},
        {"nan.model", "not a number"},
        {"bytes_missing.model", "lacks the piece <0xFF>"},
        {"bytes_forbidden.model", "no byte fallback"},
        {"no_unknown.model", "no piece for the unknown"},
        {"two_unknown.model", "both stand for the unknown"},
        {"cut.json", "not valid JSON"},
        {"broken_utf8.json", "not valid JSON"},
        {"doubled_key.json", "duplicate"},
        {"nothing.json", "no BPE model"},
        {"wordpiece.json", "'WordPiece'"},
        {"nfc.json", "'NFC'"},
        {"bytelevel.json", "'ByteLevel'"},
        {"dropout.json", "'dropout'"},
        {"huge_id.json", "whole numbers"},
        {"same_id.json", "two pieces have the id 1"},
        {"cycle.json", "merge 1"},
        {"added_clash.json", "added token 5"},
        {"no such file", "no such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lp_error err = {0};
        char path[1000];
        snprintf(path, sizeof path, "%s%s", SEEDS, cases[i].file);
        assert_null(lp_tokenizer_open(path, &err));
        assert_int_not_equal(err.code, LP_OK);
        if (!strstr(err.text, cases[i].says) || !strstr(err.text, cases[i].file))
            fail_msg("%s: \"%s\" does not name the file and say \"%s\"", cases[i].file, err.text,
                     cases[i].says);
    }
}

static void test_a_prompt_needs_bos(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_ids ids = {0};
    struct lp_tokenizer *t = lp_tokenizer_open(SEEDS "gap.json", &err);
    assert_non_null(t);
    assert_false(lp_tokenizer_encode_prompt(t, "a", 1, &ids, &err));
    assert_int_equal(ids.n, 0);
    assert_non_null(strstr(err.text, "<s>"));
    lp_tokenizer_close(t);
}

static void test_close_takes_null(void **state) {
    (void)state;
    lp_tokenizer_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode_adds_the_dummy_prefix_but_no_bos),
        cmocka_unit_test(test_encode_takes_control_names_as_text),
        cmocka_unit_test(test_unknown_characters_become_byte_tokens),
        cmocka_unit_test(test_encode_appends),
        cmocka_unit_test(test_prompt_is_split_at_images),
        cmocka_unit_test(test_prompt_knows_the_ends_of_turns),
        cmocka_unit_test(test_what_tokens_are),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_takes_off_what_the_model_put_on),
        cmocka_unit_test(test_stream_holds_back_half_characters),
        cmocka_unit_test(test_stream_goes_on_after_a_prompt),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_json_spaces),
        cmocka_unit_test(test_bad_files_are_refused_with_a_sentence),
        cmocka_unit_test(test_a_prompt_needs_bos),
        cmocka_unit_test(test_close_takes_null),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
