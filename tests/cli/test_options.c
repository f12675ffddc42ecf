/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    bool json;
    const char *image;
    int64_t count;
    double heat;
    struct lp_option_list point;
} got;

static const struct lp_option table[] = {
    {"json", 0, NULL, "print JSON", LP_OPTION_FLAG, NULL, &got.json, 0, 0},
    {"image", 'i', "FILE", "the picture", LP_OPTION_STRING, NULL, &got.image, 0, 0},
    {"count", 'n', "N", "how many", LP_OPTION_INT, "3", &got.count, 1, 10},
    {"temperature", 0, "X", "of sampling", LP_OPTION_FLOAT, "0.5", &got.heat, 0, 0},
    {"point", 'p', "X,Y", "a point", LP_OPTION_LIST, NULL, &got.point, 0, 0},
    {0},
};
static const struct lp_usage usage = {"test", "FILE [options]", "Does nothing.", table, 1, 2};

/* Runs the parser on words split at spaces with stdout and stderr in `printed`; operands joined by '|'. */
static int run(const char *words, char *operands, char printed[2000]) {
    static char text[4000]; /* options borrow from it */
    char *argv[40] = {"test"};
    int argc = 1, status = -1;
    snprintf(text, sizeof text, "%s", words);
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    memset(&got, 0, sizeof got);
    FILE *to = tmpfile();
    fflush(NULL);
    int out = dup(1), err = dup(2);
    dup2(fileno(to), 1);
    dup2(fileno(to), 2);
    bool ok = lp_options_parse(&usage, &argc, argv, &status);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(to);
    printed[fread(printed, 1, 1999, to)] = 0;
    fclose(to);
    operands[0] = 0;
    for (int i = 1; ok && i < argc; i++) {
        strcat(operands, argv[i]);
        strcat(operands, "|");
    }
    assert_int_equal(ok, status == -1);
    return status;
}

static void reads_every_form(void **state) {
    (void)state;
    char operands[200], printed[2000];
    assert_int_equal(run("a --json -i x.png b", operands, printed), -1);
    assert_string_equal(operands, "a|b|");
    assert_string_equal(got.image, "x.png");
    assert_true(got.json);
    assert_int_equal(got.count, 3);
    assert_float_equal(got.heat, 0.5, 0);
    assert_int_equal(run("--image=y=z -n7 --temperature -1.5 -p 1,2 --point 3,4 - ", operands, printed), -1);
    assert_string_equal(operands, "-|");
    assert_string_equal(got.image, "y=z");
    assert_int_equal(got.count, 7);
    assert_float_equal(got.heat, -1.5, 0);
    assert_int_equal(got.point.n, 2);
    assert_string_equal(got.point.item[1], "3,4");
    assert_false(got.json);
    assert_int_equal(run("-- --json --", operands, printed), -1);
    assert_string_equal(operands, "--json|--|");
    assert_false(got.json);
    assert_string_equal(printed, "");
}

static void refuses_in_one_sentence(void **state) {
    (void)state;
    static const struct {
        const char *words, *says;
    } cases[] = {
        {"a --jsn", "there is no option '--jsn'; did you mean '--json'?"},
        {"a --temp 1", "did you mean '--temperature'?"},
        {"a --xyzzy", "there is no option '--xyzzy'; see 'llava-plus test --help'"},
        {"a -q", "there is no option '-q'"},
        {"a --image", "--image wants a value (FILE)"},
        {"a -n", "--count wants a value (N)"},
        {"a -n 2x", "--count wants a whole number, not '2x'"},
        {"a -n 11", "--count must be from 1 to 10, not 11"},
        {"a -n 99999999999999999999", "--count wants a whole number"},
        {"a --temperature nan", "--temperature wants a number, not 'nan'"},
        {"a --json=yes", "--json takes no value"},
        {"", "something is missing; usage: llava-plus test FILE [options]"},
        {"a b c", "'c' is one argument too many"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char operands[200], printed[2000];
        assert_int_equal(run(cases[i].words, operands, printed), 2);
        if (!strstr(printed, cases[i].says))
            fail_msg("'%s' says: %s", cases[i].words, printed);
        assert_ptr_equal(strchr(printed, '\n'), printed + strlen(printed) - 1);
    }
}

static void a_list_has_an_end(void **state) {
    (void)state;
    char *argv[2 + LP_OPTION_LIST_MOST + 1] = {"test", "a"};
    int argc = 2, status = -1;
    memset(&got, 0, sizeof got);
    while (argc < 2 + LP_OPTION_LIST_MOST)
        argv[argc++] = "-p1";
    assert_true(lp_options_parse(&usage, &argc, argv, &status));
    assert_int_equal(got.point.n, LP_OPTION_LIST_MOST);
}

static void help_fits_the_screen(void **state) {
    (void)state;
    char operands[200], printed[2000];
    assert_int_equal(run("--help", operands, printed), 0);
    assert_non_null(strstr(printed, "usage: llava-plus test FILE [options]"));
    assert_non_null(strstr(printed, "  -n, --count N"));
    assert_non_null(strstr(printed, "how many (default 3)"));
    assert_non_null(strstr(printed, "-h, --help"));
    for (const char *line = printed; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    assert_int_equal(run("a -h", operands, printed), 0);
}

static void nearest(void **state) {
    (void)state;
    static const char *const names[] = {"detect", "segment_at", "ocr", NULL};
    assert_string_equal(lp_option_nearest("detct", names), "detect");
    assert_string_equal(lp_option_nearest("segment", names), "segment_at");
    assert_null(lp_option_nearest("telephone", names));
    assert_null(lp_option_nearest("x", names));
    assert_null(lp_option_nearest("", names));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),  cmocka_unit_test(refuses_in_one_sentence),
        cmocka_unit_test(a_list_has_an_end), cmocka_unit_test(help_fits_the_screen),
        cmocka_unit_test(nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
