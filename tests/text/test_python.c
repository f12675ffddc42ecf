/* SPDX-License-Identifier: MIT */
/* The vectors were written by Python 3.11: json.dumps(v) and str(v). */
#include "text/python.h"

#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* clang-format off */
static const struct {
    const char *json, *repr;
} vectors[] = {
    {"null",
     "None"},
    {"true",
     "True"},
    {"false",
     "False"},
    {"[]",
     "[]"},
    {"{}",
     "{}"},
    {"0",
     "0"},
    {"-7",
     "-7"},
    {"12345678901234",
     "12345678901234"},
    {"0.1",
     "0.1"},
    {"1.0",
     "1.0"},
    {"0.52",
     "0.52"},
    {"-0.0",
     "-0.0"},
    {"1e+16",
     "1e+16"},
    {"1000000000000000.0",
     "1000000000000000.0"},
    {"1.2345678901234568e+17",
     "1.2345678901234568e+17"},
    {"0.0001",
     "0.0001"},
    {"1e-05",
     "1e-05"},
    {"1.5e-07",
     "1.5e-07"},
    {"1e+22",
     "1e+22"},
    {"1.7976931348623157e+308",
     "1.7976931348623157e+308"},
    {"5e-324",
     "5e-324"},
    {"0.30000000000000004",
     "0.30000000000000004"},
    {"2.675",
     "2.675"},
    {"100.0",
     "100.0"},
    {"123.456",
     "123.456"},
    {"\"plain\"",
     "'plain'"},
    {"\"it's\"",
     "\"it's\""},
    {"\"say \\\"hi\\\"\"",
     "'say \"hi\"'"},
    {"\"both ' and \\\"\"",
     "'both \\' and \"'"},
    {"\"back\\\\slash\"",
     "'back\\\\slash'"},
    {"\"a\\nb\\rc\\td\"",
     "'a\\nb\\rc\\td'"},
    {"\"\\u0001\\u001f\\u007f\"",
     "'\\x01\\x1f\\x7f'"},
    {"\"\\b\\f\"",
     "'\\x08\\x0c'"},
    {"\"h\\u00e9llo \\u2013 \\u201cquoted\\u201d \\u65e5\\u672c\"",
     "'h\303\251llo \342\200\223 \342\200\234quoted\342\200\235 \346\227\245\346\234\254'"},
    {"\"nbsp\\u00a0 soft\\u00ad zwj\\u200d ls\\u2028 bom\\ufeff\"",
     "'nbsp\\xa0 soft\\xad zwj\\u200d ls\\u2028 bom\\ufeff'"},
    {"\"\\ud83e\\udd14 \\udb40\\udc01 \\udbff\\udfff\"",
     "'\360\237\244\224 \\U000e0001 \\U0010ffff'"},
    {"\"\\ue000\\u0378\"",
     "'\\ue000\\u0378'"},
    {"\"combining e\\u0301\"",
     "'combining e\314\201'"},
    {"\"\"",
     "''"},
    {"{\"boxes\": [[0.1, 0.2, 0.5, 0.3]], \"texts\": [\"STOP\"], \"scores\": [0.97], \"handles\": \"text_1, box_1\"}",
     "{'boxes': [[0.1, 0.2, 0.5, 0.3]], 'texts': ['STOP'], 'scores': [0.97], 'handles': 'text_1, box_1'}"},
    {"{\"it's\": {\"b\": [null, [true, {}], []]}}",
     "{\"it's\": {'b': [None, [True, {}], []]}}"},
};
/* clang-format on */

static void spells_as_python(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct lp_error err = {0};
        json_t *v = lp_json_parse(vectors[i].json, strlen(vectors[i].json), "vector", &err);
        assert_non_null(v);
        char *json = lp_python_json(v), *repr = lp_python_repr(v);
        assert_string_equal(json, vectors[i].json);
        assert_string_equal(repr, vectors[i].repr);
        lp_free(json);
        lp_free(repr);
        json_decref(v);
    }
}

static void rounds_as_python(void **state) {
    (void)state;
    static const double pairs[][2] = {{0.125, 0.12}, {0.135, 0.14}, {2.675, 2.67}, {0.005, 0.01}, {0.996, 1.0}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_true(lp_python_round(pairs[i][0], 2) == pairs[i][1]);
    assert_true(signbit(lp_python_round(-0.001, 2)));
}

static void keeps_zero_bytes_and_says_no_memory(void **state) {
    (void)state;
    json_t *v = json_stringn("a\0b", 3);
    char *repr = lp_python_repr(v), *json = lp_python_json(v);
    assert_string_equal(repr, "'a\\x00b'");
    assert_string_equal(json, "\"a\\u0000b\"");
    lp_free(repr);
    lp_free(json);
    lp_test_fail_alloc(1);
    assert_null(lp_python_repr(v));
    lp_test_fail_alloc(0);
    json_decref(v);
    assert_null(lp_python_json(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_as_python),
        cmocka_unit_test(rounds_as_python),
        cmocka_unit_test(keeps_zero_bytes_and_says_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
