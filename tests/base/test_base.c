/* SPDX-License-Identifier: MIT */
/* The ground floor: arenas, strings, errors, files, random numbers, injected allocation failures. */
#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void arenas_align_and_zero(void **state) {
    (void)state;
    struct lp_arena a = {0};
    for (size_t n = 1; n < 40000; n = n * 3 + 1) {
        uint8_t *p = lp_arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (n >= 64 ? 64 : 16), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    assert_null(lp_arena_array(&a, SIZE_MAX / 2, 3));
    assert_string_equal(lp_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    lp_arena_done(&a);
}

static void strings_stay_failed(void **state) {
    (void)state;
    struct lp_str s = {0};
    assert_string_equal(lp_str_text(&s), "");
    lp_str_puts(&s, "ab");
    lp_str_printf(&s, "%03d", 5);
    assert_string_equal(s.s, "ab005");
    lp_str_cut(&s, 1);
    assert_string_equal(s.s, "a");
    lp_test_fail_alloc(1);
    for (int i = 0; i < 100; i++)
        lp_str_puts(&s, "0123456789");
    lp_test_fail_alloc(0);
    lp_str_puts(&s, "x");
    assert_true(s.failed);
    lp_str_done(&s);
}

static void error_texts_are_one_whole_line(void **state) {
    (void)state;
    struct lp_error err = {0};
    char text[400];
    for (int i = 0; i < 300; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    assert_false(lp_error_set(&err, LP_EINPUT, "a\nb %s", text));
    assert_memory_equal(err.text, "a b ", 4);
    size_t n = strlen(err.text);
    assert_string_equal(err.text + n - 3, "...");
    assert_int_equal((n - 3 - 4) % 2, 0); /* no half character */
    assert_false(lp_error_set(NULL, LP_EIO, "nobody listens"));
    lp_error_set(&err, LP_EIO, "gone");
    lp_error_prefix(&err, "f");
    assert_string_equal(err.text, "f: gone");
    assert_int_equal(lp_error_exit_status(LP_EUSAGE), 2);
    assert_int_equal(lp_error_exit_status(err.code), 1);
}

static void files_are_regular_or_refused(void **state) {
    (void)state;
    char folder[] = "/tmp/lp_base_XXXXXX", path[64], fifo[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a/b/file", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    struct lp_error err = {0};
    struct lp_file f;
    assert_false(lp_file_write(path, "x", 1, &err)); /* no folder yet */
    *strrchr(path, '/') = 0;
    assert_true(lp_file_make_folder(path, &err));
    path[strlen(path)] = '/';
    assert_true(lp_file_write(path, "hello", 5, &err));
    assert_true(lp_file_open(&f, path, &err));
    assert_memory_equal(f.data, "hello", 5);
    lp_file_close(&f);
    assert_false(lp_file_open(&f, folder, &err));
    assert_non_null(strstr(err.text, "is a folder"));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(lp_file_open(&f, fifo, &err)); /* and does not hang */
    size_t n;
    assert_null(lp_file_read(path, 4, &n, &err)); /* over the limit */
    char *text = lp_file_read(path, 5, &n, &err);
    assert_string_equal(text, "hello");
    lp_free(text);
    assert_false(lp_file_make_folder(path, &err)); /* a file is there */
    unlink(path);
    unlink(fifo);
    snprintf(path, sizeof path, "%s/a/b", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/a", folder);
    rmdir(path);
    assert_int_equal(rmdir(folder), 0); /* nothing was left aside */
}

static void json_values_are_checked(void **state) {
    (void)state;
    struct lp_error err = {0};
    const char *text = "{\"n\": 3, \"s\": \"x\", \"z\": null, \"f\": 0.5}";
    json_t *o = lp_json_parse(text, strlen(text), "here", &err);
    int64_t n;
    double d;
    const char *s;
    assert_true(lp_json_int(o, "n", 0, 1, 5, &n, &err) && n == 3);
    assert_true(lp_json_int(o, "z", 4, 1, 5, &n, &err) && n == 4);
    assert_false(lp_json_int(o, "n", 0, 4, 5, &n, &err));
    assert_false(lp_json_int(o, "s", 0, 1, 5, &n, &err));
    assert_true(lp_json_number(o, "f", 0, &d, &err) && d == 0.5);
    assert_true(lp_json_string(o, "s", NULL, &s, &err));
    assert_string_equal(s, "x");
    assert_false(lp_json_string(o, "n", NULL, &s, &err));
    json_decref(o);
    assert_null(lp_json_parse("{\"a\":1,\"a\":2}", 13, "here", &err));
    assert_null(lp_json_parse("{", 1, "here", &err));
    assert_non_null(strstr(err.text, "here is not valid JSON"));
}

/* @ stands for a long text: whatever is around it, it is read, and refused, as jansson does it. */
static void long_json_strings_are_read_like_any(void **state) {
    static const char *const texts[] = {
        "[\"@\"]", "{\"a\": {\"b\": [1, \"@\", \"@\"]}, \"c\": \"@\"}", "\"@\"", "{\"@\": \"@\"}", "{\"@\": 1, \"@\": 2}",
        "[\"\x7f" "0\", \"@\"]", "[\"@\", \"\x7f" "0\"]", "[\"\\u007f0\", \"@\"]", "[\"\x7f" "1\", \"@\", \"\x7f\", \"\x7f" "01\"]",
        "[\"\x7f" "0\", {\"@\": \"@\"}]", "[\"\x7f" "1\", {\"@\": \"@\", \"b\": \"@\"}]",
        "[\"@\\\"@\"]", "[\"\\\\\", \"@\"]", "[\"@\\n\"]", "[\"@\xc3\xa4\"]", "[\"@\xff\"]", "[\"@\n\"]", "[\"@\x7f\"]",
        "[\"@\"", "[\"@", "[@]", "[\"@\",]", "\"a\" \"@\"", "[\"@\"\"@\"]", "[\\\"@\"]", "[\"@\" \\\"]",
        "[\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\","
        "\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\",\"@\"]",
    };
    char run[3001];
    (void)state;
    memset(run, 'x', 3000);
    run[3000] = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct lp_str text = {0};
        struct lp_error err = {0};
        int runs = 0;
        for (const char *c = texts[i]; *c; c++) {
            run[0] = (char)('a' + runs % 26); /* so that each is another one */
            lp_str_add(&text, *c == '@' ? run : c, *c == '@' ? 3000 : 1);
            runs += *c == '@';
        }
        json_t *expected = json_loadb(text.s, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
        json_t *value = lp_json_parse(text.s, text.n, "it", &err);
        if (expected ? !json_equal(value, expected) : value || err.code != LP_EINPUT)
            fail_msg("%zu: %.40s %s", i, texts[i], err.text);
        json_decref(value);
        json_decref(expected);
        lp_str_done(&text);
    }
}

static void long_json_strings_without_memory(void **state) {
    struct lp_str text = {0};
    (void)state;
    lp_str_puts(&text, "{\"a\": [\"");
    for (int i = 0; i < 3000; i++)
        lp_str_putc(&text, 'x');
    lp_str_puts(&text, "\"]}");
    for (long n = 1;; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        json_t *value = lp_json_parse(text.s, text.n, "it", &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        assert_true(failed ? !value && err.code == LP_EMEMORY
                           : json_string_length(json_array_get(json_object_get(value, "a"), 0)) == 3000);
        json_decref(value);
        if (!failed)
            break;
    }
    lp_str_done(&text);
}

static void random_numbers_repeat(void **state) {
    (void)state;
    struct lp_rng a, b;
    lp_rng_seed(&a, 42);
    lp_rng_seed(&b, 42);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; i++) {
        float x = lp_rng_normal(&a);
        assert_true(x == lp_rng_normal(&b));
        sum += x;
        squares += (double)x * x;
        assert_true(lp_rng_below(&a, 7) < 7);
        lp_rng_below(&b, 7);
    }
    assert_true(sum / 20000 > -0.03 && sum / 20000 < 0.03);
    assert_true(squares / 20000 > 0.96 && squares / 20000 < 1.04);
}

static void devices_are_never_replaced(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_file_writing w;
    struct stat st;
    char folder[] = "/tmp/lp_test_XXXXXX", path[64], text[8] = "";
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC); /* both ends: nobody waits */
    assert_true(lp_file_write(path, "abc", 3, &err));
    assert_true(lp_file_begin(&w, path, &err));
    fputs("de", w.to);
    assert_true(lp_file_end(&w, true, &err));
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_memory_equal(text, "abcde", 5);
    assert_true(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else is left */
}

static void a_file_in_the_making_takes_its_place_when_whole(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_file_writing w;
    char folder[] = "/tmp/lp_test_XXXXXX", path[64];
    size_t n;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    for (int good = 1; good >= 0; good--) {
        assert_true(lp_file_begin(&w, path, &err));
        fputs(good ? "kept" : "dropped", w.to);
        assert_int_equal(lp_file_end(&w, good, &err), good);
        char *text = lp_file_read(path, 100, &n, &err);
        assert_string_equal(text, "kept");
        lp_free(text);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_false(lp_file_begin(&w, path, &err)); /* no folder */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arenas_align_and_zero),      cmocka_unit_test(strings_stay_failed),
        cmocka_unit_test(error_texts_are_one_whole_line), cmocka_unit_test(files_are_regular_or_refused),
        cmocka_unit_test(json_values_are_checked),    cmocka_unit_test(long_json_strings_are_read_like_any),
        cmocka_unit_test(long_json_strings_without_memory), cmocka_unit_test(random_numbers_repeat),
        cmocka_unit_test(devices_are_never_replaced),
        cmocka_unit_test(a_file_in_the_making_takes_its_place_when_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
