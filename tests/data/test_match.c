/* SPDX-License-Identifier: MIT */
/* The recogniser against the grammar: what can be said is recognised, and little else. */
#include "data/match.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/dialogue.h"
#include "data/names.h"
#include "data/things.h"
#include "data/truth.h"
#include "data/wording.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOUNS = 4096 };

static char folder[] = "/tmp/lp_match_XXXXXX";

static const char phrases[] = "== <verb>\nfind | see\n== <animal>\nmouse~mice | house cat | pony | sheep~-\n"
                              "== <np>\n<animal>\n== <np_tail>\non the roof\n"
                              "== <phrasings/line>\n(please|now) <verb> the <animal+>[!]\n"
                              "== <phrasings/one>\nI saw a {animal}, did you? => {animal}\n"
                              "== <slots>\nwhere are {things}? | bring me <word> at <time>\n"
                              "== <greeting>\nhello,\n== <closing>\nthanks";

static int make_folder(void **state) {
    (void)state;
    static const char *const parts[] = {"words", "phrasings", "thoughts", "answers"};
    char path[PATH_MAX];
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        if (!lp_file_make_folder(path, NULL))
            return -1;
    }
    snprintf(path, sizeof path, "%s/words/a.txt", folder);
    return lp_file_write(path, phrases, sizeof phrases - 1, NULL) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const parts[] = {"words/a.txt", "words", "phrasings", "thoughts", "answers", ""};
    char path[PATH_MAX];
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, parts[i]);
        remove(path);
    }
    return 0;
}

static struct lp_grammar *open_own(void) {
    struct lp_error err = {0};
    struct lp_grammar *g = lp_grammar_open(folder, lp_things_slots, &err);
    if (!g)
        fail_msg("%s", err.text);
    return g;
}

static void recognises(void **state) {
    (void)state;
    static const struct {
        const char *list, *text;
        int typos;
        bool right;
    } cases[] = {
        {"phrasings/line", "Please find the mice!", 0, true},
        {"phrasings/line", "now SEE the house cats", 0, true},
        {"phrasings/line", "now see the ponies.", 0, true},
        {"phrasings/line", "now see the sheep", 0, true},
        {"phrasings/line", "see the mice", 0, false},
        {"phrasings/line", "now see the mice please", 0, false},
        {"phrasings/line", "now see the dogs", 0, false},
        {"phrasings/line", "", 0, false},
        {"phrasings/line", "now ese the mice", 1, true},   /* swapped */
        {"phrasings/line", "now se the mice", 1, true},    /* lost */
        {"phrasings/line", "now sseee the mice", 1, false},
        {"phrasings/line", "now seee the mice", 1, true},  /* added */
        {"phrasings/line", "now sae the mice", 1, true},   /* changed */
        {"phrasings/line", "now sea the mica", 1, false},  /* two */
        {"phrasings/line", "now ese the mice", 0, false},
        {"phrasings/one", "I saw a pony, did you", 0, true},
        {"phrasings/one", "I saw an pony did you", 0, true},
        {"phrasings/one", "I saw pony did you", 0, false},
        {"slots", "Where are the mice and a house cat?", 0, true},
        {"slots", "Where are all the mice on the roof, ponies?", 0, true},
        {"slots", "where are the blue circles", 0, true},
        {"slots", "where are the mice and", 0, false},
        {"slots", "where are the squares", 0, false},
        {"slots", "bring me toskin at 12:45", 0, true},
        {"slots", "bring me xxqq at 12:45", 0, false},
        {"slots", "bring me toskin at noon tomorrow", 0, false},
    };
    static const char *const nouns[] = {"circle", NULL};
    struct lp_grammar *g = open_own();
    struct lp_matcher *m = lp_matcher_open(g, nouns, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (lp_grammar_matches(m, lp_grammar_find(g, cases[i].list), cases[i].text, cases[i].typos) != cases[i].right)
            fail_msg("'%s' as <%s> should be %s", cases[i].text, cases[i].list, cases[i].right ? "right" : "wrong");
    assert_string_equal(lp_grammar_says(m, "Hello, please find the mice. Thanks!", 0), "phrasings/line");
    assert_non_null(lp_grammar_says(m, "please find the mice", 0));
    assert_null(lp_grammar_says(m, "thanks, please find the mice", 0));
    char longest[4000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_null(lp_grammar_says(m, longest, 1));
    lp_matcher_close(m);
    lp_grammar_close(g);
}

static void survives_lack_of_memory(void **state) {
    (void)state;
    struct lp_grammar *g = open_own();
    for (long n = 1; n <= 2; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        assert_null(lp_matcher_open(g, NULL, &err));
        lp_test_fail_alloc(0);
        assert_int_equal(err.code, LP_EMEMORY);
    }
    lp_grammar_close(g);
}

/* A name in both numbers. */
static void add_noun(struct lp_arena *arena, const char **nouns, size_t *n, const char *name) {
    struct lp_str many = {0};
    lp_name_plural(name, &many);
    assert_true(*n + 2 < NOUNS);
    nouns[(*n)++] = name;
    nouns[(*n)++] = lp_arena_strdup(arena, lp_str_text(&many));
    lp_str_done(&many);
}

/* The real grammar: whatever it says, of every list that users' turns are made of, is recognised. */
static void recognises_all_that_is_said(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_grammar *g = lp_grammar_open(lp_grammar_folder(), lp_dialogue_slots, &err);
    struct lp_truth *truth = g ? lp_truth_open(LP_TESTS_DIR "/data/scenes", &err) : NULL;
    if (!truth)
        fail_msg("%s", err.text);
    struct lp_arena arena = {0};
    const char *nouns[NOUNS];
    size_t n = 0;
    for (int i = 0; i < truth->categories; i++) {
        add_noun(&arena, nouns, &n, truth->category[i].name);
        for (int k = 0; truth->category[i].synonym && truth->category[i].synonym[k]; k++)
            add_noun(&arena, nouns, &n, truth->category[i].synonym[k]);
    }
    nouns[n] = NULL;
    struct lp_matcher *m = lp_matcher_open(g, nouns, &err);
    assert_non_null(m);
    struct lp_rng rng;
    struct lp_dialogue d;
    const struct lp_list *list;
    const char *name;
    lp_rng_seed(&rng, 3);
    lp_dialogue_start(&d, g, truth, NULL, &rng);
    d.fact.it = "dog";
    d.fact.them = "dogs";
    d.fact.one = "a dog";
    d.fact.counted = "three dogs";
    d.fact.other = "cat";
    d.fact.is = "is";
    d.fact.brief = "on a beach";
    d.fact.side = "on the left";
    d.fact.relation = "to the left of";
    for (size_t i = 0; (list = lp_grammar_at(g, i, &name)); i++) {
        if (strncmp(name, "phrasings/", 10) || !lp_list_entries(list))
            continue;
        for (int k = 0; k < 30; k++) {
            struct lp_expansion x = {.rng = &rng, .fill = lp_dialogue_fill, .context = &d};
            struct lp_str text = {0};
            lp_grammar_expand(list, &x);
            lp_wording_unmark(lp_str_text(&x.text), &text);
            lp_wording_tidy(&text);
            if (!lp_grammar_matches(m, list, lp_str_text(&text), 0))
                fail_msg("'%s' was said by %s, but is not recognised", lp_str_text(&text), name);
            lp_str_done(&text);
            lp_expansion_done(&x);
        }
    }
    lp_dialogue_done(&d);
    lp_matcher_close(m);
    lp_truth_close(truth);
    lp_grammar_close(g);
    lp_arena_done(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(recognises_all_that_is_said),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
