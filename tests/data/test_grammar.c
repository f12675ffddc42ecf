/* SPDX-License-Identifier: MIT */
#include "data/grammar.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/dialogue.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const slots[] = {"things", NULL};

/* A grammar folder with one file of words. */
static void make_folder(char *folder, const char *text) {
    static const char *const parts[] = {"words", "phrasings", "thoughts", "answers"};
    char path[PATH_MAX];
    strcpy(folder, "/tmp/lp_grammar_XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        assert_true(lp_file_make_folder(path, NULL));
    }
    snprintf(path, sizeof path, "%s/words/a.txt", folder);
    assert_true(lp_file_write(path, text, strlen(text), NULL));
}

static void remove_folder(const char *folder) {
    static const char *const parts[] = {"words/a.txt", "words", "phrasings", "thoughts", "answers", ""};
    char path[PATH_MAX];
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        remove(path);
    }
}

static void fill(struct lp_expansion *x, const char *name) {
    assert_string_equal(name, "things");
    lp_expansion_capture(x, "thing", "red dog");
}

static void expands(void **state) {
    (void)state;
    char folder[64];
    struct lp_error err = {0};
    make_folder(folder, "# comment\n== <verb>\nfind | see\n== <animal>\nmouse~mice\n\n== <line>\n"
                        "(please|now) <verb> the <animal+>[!] => <verb> {animal}\n"
                        "== <slot>\nthe {things}\n== <copy>\na {animal} => one {animal}\n== <escaped>\n\\(x\\) \\| y\n");
    struct lp_grammar *g = lp_grammar_open(folder, slots, &err);
    assert_non_null(g);
    const struct lp_list *line = lp_grammar_find(g, "line");
    assert_non_null(line);
    assert_int_equal(lp_list_entries(line), 1);
    assert_true(lp_list_variety(line) == 2 * 2 * 1 * 2);
    struct lp_rng rng;
    lp_rng_seed(&rng, 1);
    int seen = 0;
    for (int i = 0; i < 100; i++) {
        struct lp_expansion x = {.rng = &rng, .fill = fill};
        lp_grammar_expand(line, &x);
        const char *text = lp_str_text(&x.text);
        assert_true(!strncmp(text, "please ", 7) || !strncmp(text, "now ", 4));
        assert_non_null(strstr(text, "the mice"));
        seen |= strchr(text, '!') ? 1 : 2;
        seen |= strstr(text, "find") ? 4 : 8;
        lp_expansion_done(&x);
    }
    assert_int_equal(seen, 15);
    struct lp_expansion x = {.rng = &rng, .fill = fill};
    lp_grammar_expand(lp_grammar_find(g, "slot"), &x);
    assert_string_equal(lp_str_text(&x.text), "the \x01red dog\x02");
    assert_string_equal(lp_expansion_find(&x, "thing"), "red dog");
    lp_expansion_done(&x);
    x = (struct lp_expansion){.rng = &rng, .fill = fill};
    lp_grammar_expand(lp_grammar_find(g, "copy"), &x);
    assert_string_equal(lp_str_text(&x.text), "a \x01mouse\x02");
    assert_string_equal(lp_str_text(&x.param), "one mouse");
    lp_expansion_done(&x);
    x = (struct lp_expansion){.rng = &rng, .fill = fill};
    lp_grammar_expand(lp_grammar_find(g, "escaped"), &x);
    assert_string_equal(lp_str_text(&x.text), "(x) | y");
    lp_expansion_done(&x);
    lp_grammar_close(g);
    remove_folder(folder);
}

static void complains_with_file_and_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"== <a>\nfind (this|that\n", "a.txt:2: a '(' is not closed"},
        {"== <a>\nfind [this\n", "a.txt:2: a '[' is not closed"},
        {"== <a>\nfind this)\n", "a.txt:2: a closing bracket without"},
        {"== <a>\nx\n\nsee <nothing>\n", "a.txt:4: there is no list or slot <nothing>"},
        {"== <a>\nsee {things\n", "a.txt:2: a '{' needs a name"},
        {"== <a>\na > b\n", "a.txt:2: a '>' without '<'"},
        {"==\nx\n", "a.txt:1: '==' needs the name"},
        {"== <a>\n<b>\n== <b>\n<a>\n", "contains itself"},
        {"== <a>\n== <b>\n<a>\n", "a.txt:3: the list <a> is empty"},
        {"== <a>\n((((((((((((((((((((((((((((((\n", "nested too deep"},
        {"== <a>\nx => y => z\n", "text after the end"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char folder[64];
        struct lp_error err = {0};
        make_folder(folder, bad[i].text);
        assert_null(lp_grammar_open(folder, slots, &err));
        assert_int_equal(err.code, LP_EINPUT);
        if (!strstr(err.text, bad[i].says))
            fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
        remove_folder(folder);
    }
    struct lp_error err = {0};
    assert_null(lp_grammar_open("/nonexistent", slots, &err));
    assert_int_equal(err.code, LP_EIO);
}

/* The n-th allocation fails, for every n: an error or, at the end, a grammar; never a crash or a leak. */
static void survives_lack_of_memory(void **state) {
    (void)state;
    char folder[64];
    make_folder(folder, "== <a>\n(x|y) [z] {things} | w => v\n== <b>\n<a+>\n");
    for (long n = 1;; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_grammar *g = lp_grammar_open(folder, slots, &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        if (g) {
            lp_grammar_close(g);
            assert_false(failed);
            break;
        }
        assert_int_equal(err.code, LP_EMEMORY);
        assert_true(n < 10000);
    }
    remove_folder(folder);
}

static void own_phrases_parse(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_grammar *g = lp_grammar_open(lp_grammar_folder(), lp_dialogue_slots, &err);
    if (!g)
        fail_msg("%s", err.text);
    for (int t = 0; t < LP_TASKS; t++) {
        char base[64];
        const char *name;
        const struct lp_list *list;
        size_t lines = 0;
        double wordings = 0;
        snprintf(base, sizeof base, "phrasings/%s", lp_task_names[t]);
        for (size_t i = 0; (list = lp_grammar_at(g, i, &name)); i++)
            if (!strncmp(name, base, strlen(base)) && (!name[strlen(base)] || name[strlen(base)] == '/')) {
                lines += lp_list_entries(list);
                wordings += lp_list_variety(list);
            }
        assert_true(lines >= 50);
        assert_true(wordings >= 1e5);
        snprintf(base, sizeof base, "thoughts/%s", lp_task_names[t]);
        assert_non_null(lp_grammar_find(g, base));
        snprintf(base, sizeof base, "answers/%s", lp_task_names[t]);
        assert_true(lp_list_entries(lp_grammar_find(g, base)) >= 10);
    }
    lp_grammar_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),
        cmocka_unit_test(complains_with_file_and_line),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(own_phrases_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
