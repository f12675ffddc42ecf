/* SPDX-License-Identifier: MIT */
#include "data/records.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char path[] = "test_records.json";

static struct lp_records *open_text(const char *text) {
    struct lp_error err = {0};
    assert_true(lp_file_write(path, text, strlen(text), &err));
    struct lp_records *r = lp_records_open(path, &err);
    assert_non_null(r);
    return r;
}

/* Raw record -> normal form, as compact JSON. */
static const struct {
    const char *raw, *normal;
} pairs[] = {
    /* COCO: a number, the mark last, stray keys in an action. */
    {"{\"image_id\":7,\"image\":\"a.jpg\",\"conversations\":[{\"from\":\"Human\",\"value\":\"Where?\\n<image>\"},"
     "{\"from\":\"gpt\",\"thoughts\":\"t\",\"actions\":[{\"API_name\":\"sam\",\"API_params\":{\"p\":1},\"value\":1}],"
     "\"value\":\"v\"}]}",
     "{\"id\":\"7\",\"images\":[\"a.jpg\"],\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nWhere?\"},"
     "{\"from\":\"gpt\",\"thoughts\":\"t\",\"actions\":[{\"API_name\":\"sam\",\"API_params\":{\"p\":1}}],"
     "\"value\":\"v\"}]}"},
    /* collect_data.py: file_name, and the mark again in the repeated question. */
    {"{\"unique_id\":\"u\",\"image_id\":7,\"file_name\":\"b.jpg\",\"conversations\":["
     "{\"from\":\"human\",\"value\":\"<image>\\nQ\"},{\"from\":\"gpt\",\"value\":\"a\"},"
     "{\"from\":\"human\",\"value\":\"r: <image>\\nQ\"},{\"from\":\"gpt\",\"value\":\"b\"}]}",
     "{\"id\":\"u\",\"images\":[\"b.jpg\"],\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nQ\"},"
     "{\"from\":\"gpt\",\"value\":\"a\"},{\"from\":\"human\",\"value\":\"r: \\nQ\"},{\"from\":\"gpt\",\"value\":\"b\"}]}"},
    /* JourneyDB: no picture; the id is the picture that was made. */
    {"{\"id\":\"x.png\",\"conversations\":[{\"from\":\"human\",\"value\":\"Draw\"},"
     "{\"from\":\"gpt\",\"actions\":[{\"API_name\":\"sd\"}],\"value\":\"v\"}]}",
     "{\"id\":\"x.png\",\"images\":[],\"conversations\":[{\"from\":\"human\",\"value\":\"Draw\"},"
     "{\"from\":\"gpt\",\"actions\":[{\"API_name\":\"sd\",\"API_params\":{}}],\"value\":\"v\"}]}"},
    /* The id is the picture that is asked about; an assistant's turn first, a question without answer last. */
    {"{\"id\":\"x.png\",\"conversations\":[{\"from\":\"gpt\",\"value\":\"Hello\"},"
     "{\"from\":\"human\",\"value\":\"<image>Q\"},{\"from\":\"gpt\",\"value\":\"a\"},{\"from\":\"human\",\"value\":\"?\"}]}",
     "{\"id\":\"x.png\",\"images\":[\"x.png\"],\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nQ\"},"
     "{\"from\":\"gpt\",\"value\":\"a\"}]}"},
    /* Two pictures, one mark. */
    {"{\"image\":[\"a.jpg\",\"b.jpg\"],\"conversations\":[{\"from\":\"human\",\"value\":\"<image> Q\"},"
     "{\"from\":\"assistant\",\"value\":\"a\"}]}",
     "{\"id\":\"\",\"images\":[\"a.jpg\",\"b.jpg\"],\"conversations\":["
     "{\"from\":\"human\",\"value\":\"<image>\\n<image>\\nQ\"},{\"from\":\"gpt\",\"value\":\"a\"}]}"},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static void puts_irregular_records_right(void **state) {
    (void)state;
    struct lp_str all = {0};
    for (int i = 0; i < PAIRS; i++)
        lp_str_printf(&all, "%s%s", i ? ",\n " : " [ ", pairs[i].raw);
    lp_str_puts(&all, " ]\n");
    struct lp_records *r = open_text(lp_str_text(&all));
    lp_str_done(&all);
    struct lp_error err = {0};
    json_t *record;
    for (int i = 0; i < PAIRS; i++) {
        assert_true(lp_records_next(r, &record, &err));
        assert_non_null(record);
        char *text = lp_json_text(record);
        assert_string_equal(text, pairs[i].normal);
        lp_free(text);
        json_decref(record);
    }
    for (int i = 0; i < 2; i++) {
        assert_true(lp_records_next(r, &record, &err));
        assert_null(record);
    }
    lp_records_close(r);
    unlink(path);
}

#define HUMAN "{\"from\":\"human\",\"value\":\"a\"}"
#define GPT "{\"from\":\"gpt\",\"value\":\"b\"}"
#define GOOD "{\"conversations\":[" HUMAN "," GPT "]}"
#define TALK(...) "{\"conversations\":[" __VA_ARGS__ "]}"
#define ANSWER(...) TALK(HUMAN ",{\"from\":\"gpt\"" __VA_ARGS__ "}")

/* Kinds of malformed records: what stands on line 3, behind a good record on line 2, and what is said of it. */
static const struct {
    const char *record, *says;
} malformed[] = {
    /* Not JSON. */
    {"{", "record 2 is not JSON"},
    {"{\"conversations\":[" HUMAN ",", "record 2 is not JSON"},
    {"{\"conversations\":[" HUMAN, "record 2 is not JSON"},
    {"{\"a\":\"broken", "record 2 is not JSON"},
    {"{'a': 1}", "record 2 is not JSON"},
    {"{\"a\":1,}", "record 2 is not JSON"},
    {"{\"a\" 1}", "record 2 is not JSON"},
    {"{\"a\":\"\xff\xfe\"}", "record 2 is not JSON"},
    {"{\"a\":\"\xc3\x28\"}", "record 2 is not JSON"},
    {"{\"a\":\"\\ud800\"}", "record 2 is not JSON"},
    {"{\"a\":\"\\u0000\"}", "record 2 is not JSON"},
    {"{\"id\":1e999}", "record 2 is not JSON"},
    {"{\"id\":99999999999999999999999}", "record 2 is not JSON"},
    {"{\"id\":NaN}", "record 2 is not JSON"},
    {"", "breaks off after record 1"},
    /* JSON, but no record. */
    {"null", "record 2 is not a JSON object"},
    {"7", "record 2 is not a JSON object"},
    {"\"text\"", "record 2 is not a JSON object"},
    {"[" GOOD "]", "record 2 is not a JSON object"},
    /* No dialogue. */
    {"{}", "no 'conversations'"},
    {"{\"conversations\":null}", "no 'conversations'"},
    {"{\"conversations\":[]}", "no 'conversations'"},
    {"{\"conversations\":\"a\"}", "'conversations' are no list"},
    {"{\"conversations\":{\"from\":\"human\"}}", "'conversations' are no list"},
    {TALK(HUMAN), "with a question and an answer"},
    {TALK("[" HUMAN "],[" GPT "]"), "turn 1 should be the human's"},
    {TALK("1,2"), "turn 1 should be the human's"},
    {TALK(HUMAN "," HUMAN), "turn 2 should be the assistant's"},
    {TALK(HUMAN "," GPT "," GPT "," HUMAN), "turn 3 should be the human's"},
    {TALK(GPT "," GPT), "with a question and an answer"},
    {TALK("{\"from\":\"system\",\"value\":\"s\"}," HUMAN "," GPT), "turn 1 should be the human's"},
    {TALK("{\"from\":7,\"value\":\"s\"}," GPT), "turn 1 should be the human's"},
    {TALK("{\"value\":\"s\"}," GPT), "turn 1 should be the human's"},
    {TALK(HUMAN ",{\"from\":\"robot\",\"value\":\"b\"}"), "turn 2 should be the assistant's"},
    /* No text. */
    {TALK("{\"from\":\"human\"}," GPT), "turn 1 has no 'value'"},
    {TALK("{\"from\":\"human\",\"value\":[\"a\"]}," GPT), "turn 1 has no 'value'"},
    {ANSWER(""), "turn 2: it has no 'value'"},
    {ANSWER(",\"value\":null"), "turn 2: it has no 'value'"},
    {ANSWER(",\"value\":3"), "turn 2: it has no 'value'"},
    {ANSWER(",\"value\":\"b\",\"thoughts\":[\"t\"]"), "turn 2: its 'thoughts' are no text"},
    /* No plan. */
    {ANSWER(",\"value\":\"b\",\"actions\":\"sam\""), "turn 2: its 'actions' are no list"},
    {ANSWER(",\"value\":\"b\",\"actions\":{\"API_name\":\"sam\"}"), "turn 2: its 'actions' are no list"},
    {ANSWER(",\"value\":\"b\",\"actions\":[[]]"), "turn 2: action 1 has no 'API_name'"},
    {ANSWER(",\"value\":\"b\",\"actions\":[{\"API_name\":\"sam\"},{\"name\":\"sam\"}]"), "turn 2: action 2 has no 'API_name'"},
    {ANSWER(",\"value\":\"b\",\"actions\":[{\"API_name\":5}]"), "turn 2: action 1 has no 'API_name'"},
    {ANSWER(",\"value\":\"b\",\"actions\":[{\"API_name\":\"sam\",\"API_params\":[1]}]"), "'API_params' of action 1 are no object"},
    /* Pictures that do not fit. */
    {"{\"image\":5,\"conversations\":[" HUMAN "," GPT "]}", "'image' is not the name of a picture"},
    {"{\"image\":\"\",\"conversations\":[" HUMAN "," GPT "]}", "'image' is not the name of a picture"},
    {"{\"image\":[\"a.jpg\",null],\"conversations\":[" HUMAN "," GPT "]}", "'image' is not the name of a picture"},
    {"{\"file_name\":{},\"conversations\":[" HUMAN "," GPT "]}", "'file_name' is not the name of a picture"},
    {TALK("{\"from\":\"human\",\"value\":\"<image>\\na\"}," GPT), "it shows a picture ('<image>'), but names none"},
    {"{\"id\":7,\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\na\"}," GPT "]}", "but names none"},
    {ANSWER(",\"value\":\"see <image>\""), "turn 2: the assistant cannot show a picture"},
};

/* Reads the one good record, then what is wrong. */
static void check_refused(struct lp_records *r, const char *says, size_t number) {
    struct lp_error err = {0};
    json_t *record = NULL;
    assert_true(lp_records_next(r, &record, &err));
    json_decref(record);
    if (lp_records_next(r, &record, &err))
        fail_msg("malformed record %zu is taken", number);
    assert_null(record);
    assert_int_equal(err.code, LP_EINPUT);
    if (!strstr(err.text, says) || !strstr(err.text, "test_records.json, line 3"))
        fail_msg("malformed record %zu: '%s' does not say '%s' and line 3", number, err.text, says);
    lp_records_close(r);
}

static void names_what_is_malformed_and_its_line(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct lp_str text = {0};
        lp_str_printf(&text, "[\n" GOOD ",\n%s", malformed[i].record);
        check_refused(open_text(lp_str_text(&text)), malformed[i].says, i); /* the file ends there */
        if (malformed[i].record[0]) {
            lp_str_puts(&text, ",\n" GOOD "\n]\n");
            check_refused(open_text(lp_str_text(&text)), malformed[i].says, i);
        }
        lp_str_done(&text);
    }
    unlink(path);
}

/* A byte of nought, and arrays too deep for any stack. */
static void survives_noughts_and_depth(void **state) {
    (void)state;
    struct lp_error err = {0};
    static const char nought[] = "[\n" GOOD ",\n{\"a\":\"\0\"}]";
    assert_true(lp_file_write(path, nought, sizeof nought - 1, &err));
    check_refused(lp_records_open(path, &err), "record 2 is not JSON", 100);
    struct lp_str deep = {0};
    lp_str_puts(&deep, "[\n" GOOD ",\n{\"a\":");
    for (int i = 0; i < 100000; i++)
        lp_str_putc(&deep, '[');
    check_refused(open_text(lp_str_text(&deep)), "record 2 is not JSON", 101);
    lp_str_done(&deep);
    unlink(path);
}

static void refuses_what_is_no_list_of_records(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
        int good; /* records before */
    } bad[] = {
        {"", "must hold a JSON array", 0},
        {" \n ", "must hold a JSON array", 0},
        {"{}", "must hold a JSON array", 0},
        {GOOD "\n" GOOD, "must hold a JSON array", 0},
        {"[\n", "line 2: it breaks off after record 0", 0},
        {"[" GOOD, "line 1: it breaks off after record 1", 1},
        {"[" GOOD "\n" GOOD "]", "line 2: it breaks off after record 1", 1},
        {"[" GOOD "]\n[" GOOD "]", "line 2: something follows", 1},
        {"[]\n\nx", "line 3: something follows", 0},
        {"[\n" GOOD ",\n\n{\n\n\"conversations\":[\n}]", "line 4: record 2 is not JSON: at line 7", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        json_t *record = NULL;
        struct lp_records *r = open_text(bad[i].text);
        for (int k = 0; k < bad[i].good; k++) {
            assert_true(lp_records_next(r, &record, &err) && record);
            json_decref(record);
        }
        assert_false(lp_records_next(r, &record, &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
        lp_records_close(r);
    }
    unlink(path);
    struct lp_error err = {0};
    assert_null(lp_records_open("/nonexistent.json", &err));
    assert_int_equal(err.code, LP_EIO);
}

/* Files as they were released: indented or one record a line, ids of every type, pictures under every name. */
static void reads_the_released_files(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t line;
        const char *id, *image, *first;
        size_t turns;
    } want[] = {
        {"tools.json", 2, "1699545382.4288898", "000000436407.jpg", "<image>\nWhere does the man on the pavement stand?", 4},
        {"tools.json", 37, "2373367", "2373367.jpg", "<image>\nCut out what is at the point.\n\nInput point: [0.4, 0.5]", 8},
        {"tools.json", 85, "0f1e2d3c-0000-4b5a-9687-112233445566.png", NULL, "Paint a lighthouse in a storm.", 4},
        {"tools.json", 96, "1699545400.5_391895", "COCO_train2014_000000391895.jpg", "<image>\nWho rides?", 2},
        {"tools.json", 103, "12", "0183936/1314947222_0.jpg", "<image>\nMake it winter.", 2},
        {"llava_158k.json", 1, "000000033471", "000000033471.jpg", "<image>\nWhat are the colors of the bus?", 4},
        {"llava_158k.json", 2, "000000052846", "000000052846.jpg", "<image>\nWhere is the cat?", 2},
    };
    struct lp_records *r = NULL;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char file[300];
        struct lp_error err = {0};
        json_t *record = NULL;
        snprintf(file, sizeof file, LP_TESTS_DIR "/data/released/%s", want[i].file);
        if (!i || strcmp(want[i].file, want[i - 1].file)) {
            lp_records_close(r);
            r = lp_records_open(file, &err);
        }
        if (!r || !lp_records_next(r, &record, &err) || !record)
            fail_msg("%s", err.text);
        const json_t *turns = json_object_get(record, "conversations"), *images = json_object_get(record, "images");
        assert_int_equal(lp_records_line(r), want[i].line);
        if (i != 1) /* a number, as precisely as it is written */
            assert_string_equal(json_string_value(json_object_get(record, "id")), want[i].id);
        assert_int_equal(json_array_size(images), want[i].image != NULL);
        if (want[i].image)
            assert_string_equal(json_string_value(json_array_get(images, 0)), want[i].image);
        assert_int_equal(json_array_size(turns), want[i].turns);
        assert_string_equal(json_string_value(json_object_get(json_array_get(turns, 0), "value")), want[i].first);
        for (size_t k = 2; k < want[i].turns; k += 2) /* the picture is shown once */
            assert_null(strstr(json_string_value(json_object_get(json_array_get(turns, k), "value")), "<image>"));
        json_decref(record);
    }
    json_t *record;
    struct lp_error err = {0};
    assert_true(lp_records_next(r, &record, &err) && !record);
    lp_records_close(r);
}

static void survives_lack_of_memory(void **state) {
    (void)state;
    struct lp_str all = {0};
    lp_str_printf(&all, "[%s]", pairs[0].raw);
    struct lp_records *r = open_text(lp_str_text(&all));
    lp_records_close(r);
    lp_str_done(&all);
    for (long n = 1;; n++) {
        struct lp_error err = {0};
        json_t *record = NULL;
        lp_test_fail_alloc(n);
        r = lp_records_open(path, &err);
        bool ok = r && lp_records_next(r, &record, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        lp_records_close(r);
        json_decref(record);
        assert_true(ok || failed);
        if (ok && !failed)
            break;
        if (!ok) /* jansson's lexer takes some lacks of memory for bad JSON */
            assert_true(err.code == LP_EMEMORY || err.code == LP_EINPUT);
        assert_true(n < 10000);
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_irregular_records_right),
        cmocka_unit_test(names_what_is_malformed_and_its_line),
        cmocka_unit_test(survives_noughts_and_depth),
        cmocka_unit_test(refuses_what_is_no_list_of_records),
        cmocka_unit_test(reads_the_released_files),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
