/* SPDX-License-Identifier: MIT */
/* JSON text in which each @ stands for a long string's content: it is read, or refused, as jansson alone does it. */
#include "fuzz.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

enum { LONG = 2100, MOST = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lp_str text = {0};
    struct lp_error err = {0};
    char run[LONG];
    int runs = 0;
    memset(run, 'x', LONG);
    for (size_t i = 0; i < size; i++) {
        bool is_long = data[i] == '@' && runs < MOST;
        run[0] = (char)('0' + runs); /* so that each is another one */
        lp_str_add(&text, is_long ? run : (const char *)data + i, is_long ? LONG : 1);
        runs += is_long;
    }
    json_t *expected = json_loadb(lp_str_text(&text), text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_t *value = lp_json_parse(lp_str_text(&text), text.n, "it", &err);
    LP_FUZZ_CHECK(expected ? value && json_equal(value, expected) : !value && err.code == LP_EINPUT);
    json_decref(value);
    json_decref(expected);
    lp_str_done(&text);
    return 0;
}
