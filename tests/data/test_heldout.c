/* SPDX-License-Identifier: MIT */
/* The grammar that makes training dialogues says no held-out or validation instruction, not even with one typo. When it comes to say
 * one, that line is replaced, never the phrase. With file names as arguments: shows which of their lines the grammar can
 * say. */
#include "data/match.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "data/dialogue.h"
#include "data/names.h"
#include "data/stickers.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOUNS = 8000, TYPO_LENGTH = 12 };

/* The names of all that scenes show, in both numbers: what the grammar's slots are filled with beside its own words. */
struct nouns {
    struct lp_arena arena;
    const char *item[NOUNS + 1];
    size_t n;
};

static void add_noun(struct nouns *nouns, const char *text, size_t n) {
    struct lp_str many = {0};
    while (n && *text == ' ') {
        text++;
        n--;
    }
    while (n && text[n - 1] == ' ')
        n--;
    const char *one = lp_arena_strndup(&nouns->arena, text, n);
    assert_true(one && nouns->n + 2 <= NOUNS);
    lp_name_plural(one, &many);
    nouns->item[nouns->n++] = one;
    nouns->item[nouns->n++] = lp_arena_strdup(&nouns->arena, lp_str_text(&many));
    lp_str_done(&many);
}

/* Names and synonyms stand in the second and third column of stickers.txt; shapes and parts are drawn. */
static void read_nouns(struct nouns *nouns) {
    static const char *const drawn[] = {
        "circle", "square", "triangle", "rectangle", "star",   "heart",  "diamond", "hexagon", "pentagon", "oval",
        "cross",  "ring",   "arrow",    "moon",      "roof",   "door",   "window",  "body",    "wheel",    "crown",
        "trunk",  "head",   "hat",      "nose",      "petal",  "stem",   "leaf",    "arm",     "leg",      "eye",
        "sail",   "hull",   "shape",    "sign",      "poster", "label",  "text",    "word",    "screen",   "chimney"};
    char path[PATH_MAX];
    size_t size;
    struct lp_error err = {0};
    assert_true(lp_file_join(path, sizeof path, lp_stickers_folder(), "stickers.txt", &err));
    char *text = lp_file_read(path, 1 << 20, &size, &err), *rest = text;
    if (!text)
        fail_msg("%s", err.text);
    for (char *line; (line = strsep(&rest, "\n"));) {
        char *field = line;
        if (*line == '#')
            continue;
        for (int column = 0; column < 3 && field; column++) {
            char *value = strsep(&field, "|");
            for (char *one; column && (one = strsep(&value, ","));)
                add_noun(nouns, one, strlen(one));
        }
    }
    lp_free(text);
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++)
        add_noun(nouns, drawn[i], strlen(drawn[i]));
    assert_true(nouns->n > 400);
}

static struct lp_grammar *open_grammar(void) {
    struct lp_error err = {0};
    struct lp_grammar *g = lp_grammar_open(lp_grammar_folder(), lp_dialogue_slots, &err);
    if (!g)
        fail_msg("%s", err.text);
    return g;
}

/* How many lines of the file the grammar can say; prints their ids, and on request the lines: writers of phrases are not
 * to see what is held out. */
static int count_said(const char *path, bool show, int *lines) {
    struct nouns nouns = {0};
    struct lp_error err = {0};
    struct lp_grammar *g = open_grammar();
    read_nouns(&nouns);
    struct lp_matcher *m = lp_matcher_open(g, nouns.item, &err);
    size_t size;
    char *text = lp_file_read(path, 64 << 20, &size, &err), *rest = text;
    if (!m || !text)
        fail_msg("%s", err.text);
    int said = 0;
    *lines = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        json_t *json = *line ? lp_json_parse(line, strlen(line), path, &err) : NULL;
        const char *instruction = json_string_value(json_object_get(json, "instruction"));
        if (instruction) {
            const char *list = lp_grammar_says(m, instruction, strlen(instruction) >= TYPO_LENGTH);
            if (list)
                print_message("%s: %s%s%s\n", json_string_value(json_object_get(json, "id")), list, show ? "\n    " : "",
                              show ? instruction : "");
            said += list != NULL;
            ++*lines;
        }
        json_decref(json);
    }
    lp_free(text);
    lp_matcher_close(m);
    lp_grammar_close(g);
    lp_arena_done(&nouns.arena);
    return said;
}

static void nothing_held_out_is_said(void **state) {
    (void)state;
    int lines;
    assert_int_equal(count_said(LP_SOURCE_DIR "/data/heldout/instructions.jsonl", false, &lines), 0);
    assert_true(lines >= 480);
    assert_int_equal(count_said(LP_SOURCE_DIR "/data/validation/instructions.jsonl", false, &lines), 0);
    assert_true(lines >= 120);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_held_out_is_said)};
    if (argc == 1)
        return cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 1; i < argc; i++) {
        int lines, said = count_said(argv[i], true, &lines);
        printf("%s: %d of %d lines can be said\n", argv[i], said, lines);
    }
    return 0;
}
