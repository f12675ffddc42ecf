/* SPDX-License-Identifier: MIT */
/* The n-th allocation fails, for every n: opening and encoding say so, and nothing leaks. */
#include "base/memory.h"
#include "text/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS LP_TESTS_DIR "/fuzz/seeds/tokenizer/"

/* Opens the file and works with it. True when everything worked. */
static bool work(const char *path, struct lp_error *err) {
    static const char text[] = "the cat <image>\naaaaaaa caaa \xf0\x9f\xa4\x94";
    struct lp_ids ids = {0};
    struct lp_str out = {0};
    struct lp_tokenizer *t = lp_tokenizer_open(path, err);
    bool good = t && lp_tokenizer_encode_prompt(t, text, strlen(text), &ids, err);
    for (int i = 0; good && i < 20; i++) { /* past the list's first growth */
        size_t n_before = ids.n;
        good = lp_tokenizer_encode(t, text, strlen(text), &ids, err);
        if (!good)
            assert_int_equal(ids.n, n_before);
    }
    good = good && lp_tokenizer_decode(t, ids.id, ids.n, &out, err);
    lp_ids_done(&ids);
    lp_str_done(&out);
    lp_tokenizer_close(t);
    return good;
}

static void check(const char *path) {
    bool good = false;
    for (long n = 1; !good; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        good = work(path, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_int_equal(good, !failed);
        assert_int_equal(err.code, good ? LP_OK : LP_EMEMORY);
        assert_true(n < 10000);
    }
}

static void test_model(void **state) {
    (void)state;
    check(SEEDS "good.model");
    check(SEEDS "unused.model");
    check(SEEDS "user.model");
}

static void test_json(void **state) {
    (void)state;
    check(SEEDS "good.json");
    check(SEEDS "user.json");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_model), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
