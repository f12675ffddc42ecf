/* SPDX-License-Identifier: MIT */
/* Any bytes as text: with LLaMA's settings decoding gives it back, but for malformed bytes and U+2581. */
#include "fuzz/fuzz.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

#include <string.h>

/* What text must come back as: malformed bytes are U+FFFD, U+2581 is a space. */
static void expect(const char *text, size_t n, struct lp_str *out) {
    struct lp_str clean = {0};
    lp_utf8_clean(text, n, &clean);
    for (size_t i = 0; i < clean.n; i++) {
        bool space = clean.n - i >= 3 && memcmp(clean.s + i, "\xe2\x96\x81", 3) == 0;
        lp_str_putc(out, space ? ' ' : clean.s[i]);
        i += space ? 2 : 0;
    }
    lp_str_done(&clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lp_tokenizer *model, *json; /* kept until exit: opening them is slow */
    struct lp_error err = {0};
    if (!model)
        model = lp_tokenizer_open(LP_TESTS_DIR "/golden/tokenizer/tokenizer.model", &err);
    if (!json)
        json = lp_tokenizer_open(LP_TESTS_DIR "/golden/tokenizer/tokenizer.json", &err);
    LP_FUZZ_CHECK(model && json);
    struct lp_ids ids = {0}, again = {0};
    struct lp_str decoded = {0}, expected = {0};
    LP_FUZZ_CHECK(lp_tokenizer_encode(model, (const char *)data, size, &ids, &err));
    LP_FUZZ_CHECK(lp_tokenizer_encode(json, (const char *)data, size, &again, &err));
    LP_FUZZ_CHECK(ids.n == again.n && (!ids.n || !memcmp(ids.id, again.id, ids.n * sizeof *ids.id)));
    LP_FUZZ_CHECK(lp_tokenizer_decode(model, ids.id, ids.n, &decoded, &err));
    expect((const char *)data, size, &expected);
    LP_FUZZ_CHECK(decoded.n == expected.n &&
                  !memcmp(lp_str_text(&decoded), lp_str_text(&expected), expected.n));
    lp_ids_done(&ids);
    lp_ids_done(&again);
    lp_str_done(&decoded);
    lp_str_done(&expected);
    return 0;
}
