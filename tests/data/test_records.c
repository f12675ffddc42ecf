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
     "{\"from\":\"gpt\",\"thoughts\":\"t\",\"actions\":[{\"API_name\":\"sam\",\"API_params\":{\"p\":1},\"value\":1},"
     "{\"no\":1}],\"value\":\"v\"}]}",
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
    /* A mark without a picture. */
    {"{\"id\":1,\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nQ\"},{\"from\":\"gpt\",\"value\":\"a\"}]}",
     "{\"id\":\"1\",\"images\":[],\"conversations\":[{\"from\":\"human\",\"value\":\"Q\"},"
     "{\"from\":\"gpt\",\"value\":\"a\"}]}"},
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

static void refuses_what_is_no_record(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "must hold a JSON array"},
        {"{}", "must hold a JSON array"},
        {"[1]", "record 1 is not a JSON object"},
        {"[{\"a\":", "record 1 is not a JSON object"},
        {"[{}]", "record 1: it has no 'conversations'"},
        {"[{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"human\",\"value\":\"b\"}]}]", "turn 2"},
        {"[{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]}", NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_error err = {0};
        json_t *record = NULL;
        struct lp_records *r = open_text(bad[i].text);
        if (!bad[i].says) { /* a good record, then the file breaks off */
            assert_true(lp_records_next(r, &record, &err));
            json_decref(record);
        }
        assert_false(lp_records_next(r, &record, &err));
        assert_int_equal(err.code, LP_EINPUT);
        assert_non_null(strstr(err.text, bad[i].says ? bad[i].says : "breaks off after record 1"));
        lp_records_close(r);
    }
    unlink(path);
    struct lp_error err = {0};
    assert_null(lp_records_open("/nonexistent.json", &err));
    assert_int_equal(err.code, LP_EIO);
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
        cmocka_unit_test(refuses_what_is_no_record),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
