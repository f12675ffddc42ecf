/* SPDX-License-Identifier: MIT */
/* The scorer's arithmetic, its files and its errors. */
#include "e2e/scoring.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void reading(void **state) {
    (void)state;
    static const struct {
        const char *truth, *answer;
        long distance, length;
    } pairs[] = {
        {"STOP", "STOP", 0, 4},
        {"STOP", "The sign says: STOP.", 0, 4},
        {"NO\nPARKING", "It reads \"NO   PARKING\" in red", 0, 10},
        {"STOP", "The sign says: ST0P.", 1, 4},
        {"Exit 24", "Exit 4", 1, 7},
        {"Exit 4", "Exit 24", 1, 6},
        {"STOP", "", 4, 4},
        {"STOP", "zzz", 4, 4},
        {"", "anything", 0, 0},
        {"stop", "STOP", 4, 4},
        {"Caf\xc3\xa9", "my Caf\xc3\xa9 here", 0, 4},
        {"Caf\xc3\xa9", "my Cafe here", 1, 4},
        {"abc", "a\xff\x62\x63", 1, 3},
        {"first line\nsecond line", "second line first line", 11, 22},
        {"  padded \n", "padded", 0, 6},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        long distance = -1, length = -1;
        assert_true(score_reading(pairs[i].truth, pairs[i].answer, &distance, &length));
        if (distance != pairs[i].distance || length != pairs[i].length)
            fail_msg("'%s' in '%s': %ld of %ld", pairs[i].truth, pairs[i].answer, distance, length);
    }
}

static char folder[] = "/tmp/lp-score-XXXXXX";

static const char *put(const char *name, const char *text) {
    static char path[2][64];
    static int turn;
    char *p = path[turn ^= 1];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    assert_true(lp_file_write(p, text, strlen(text), NULL));
    return p;
}

static char *table_of(bool (*score)(const char *, const char *, FILE *, double *, struct lp_error *),
                      const char *a, const char *b, double *rate) {
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct lp_error err = {0};
    assert_non_null(out);
    bool ok = score(a, b, out, rate, &err);
    fclose(out);
    if (!ok)
        fail_msg("%s", err.text);
    return text;
}

static void reading_files(void **state) {
    (void)state;
    const char *want =
        put("truth.jsonl",
            "{\"image\":\"a.png\",\"text\":\"ABCDEFGH\"}\n{\"image\":\"b.png\",\"text\":\"12\"}\n");
    const char *got = put("answers.jsonl", "{\"image\":\"a.png\",\"answer\":\"It says ABCDEFGH.\"}\n");
    double rate = -1;
    char *text = table_of(score_readings, want, got, &rate); /* b.png was not answered */
    assert_true(rate > 0.7999 && rate < 0.8001);
    free(text);
    put("a.png.txt", "ABCDEFGH\n");
    put("b.png.txt", "1 2\n");
    want = put("truth.jsonl",
               "{\"image\":\"a.png\",\"text\":\"ABCDEFGH\"}\n{\"image\":\"b.png\",\"text\":\"12\"}\n");
    text = table_of(score_readings, want, folder, &rate);
    assert_true(rate > 0.8999 && rate < 0.9001);
    assert_non_null(strstr(text, "a.png                       0 wrong of    8  100.0 %\n"));
    free(text);
}

static void errors(void **state) {
    (void)state;
    struct lp_error err = {0};
    double rate;
    const char *good = put("good.jsonl", "{\"image\":\"a.png\",\"text\":\"a\"}\n");
    assert_false(score_readings(good, "/nonexistent/answers", stderr, &rate, &err));
    assert_true(err.code != LP_OK && err.text[0]);
    const char *broken = put("broken.jsonl", "{\"image\":\"a.png\",\n");
    assert_false(score_readings(broken, broken, stderr, &rate, &err));
    assert_int_equal(err.code, LP_EINPUT);
    const char *keyless = put("keyless.jsonl", "{\"image\":3}\n");
    assert_false(score_readings(keyless, keyless, stderr, &rate, &err));
    assert_non_null(strstr(err.text, "line 1 has no string 'image'"));
    const char *textless = put("textless.jsonl", "{\"image\":\"a.png\"}\n");
    assert_false(score_readings(textless, textless, stderr, &rate, &err));
    assert_non_null(strstr(err.text, "has no text"));
}

static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    static const char *const names[] = {"truth.jsonl", "answers.jsonl", "a.png.txt",     "b.png.txt",
                                        "good.jsonl",  "broken.jsonl",  "keyless.jsonl", "textless.jsonl"};
    char path[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(reading_files),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
