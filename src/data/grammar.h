/* SPDX-License-Identifier: MIT */
/* The hand-written grammar: phrase files under data/ (syntax: data/README.md) and random expansions of their lists. */
#ifndef LP_DATA_GRAMMAR_H
#define LP_DATA_GRAMMAR_H

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"

#define LP_CAPTURES 12

/* In an expansion's text a captured part stands between these two, so that noise leaves it alone. */
#define LP_MARK_BEGIN '\x01'
#define LP_MARK_END '\x02'

struct lp_grammar;
struct lp_list; /* a named list of phrases */

/* One random phrase. Zero it, set rng, fill and context, expand, read, done. */
struct lp_expansion {
    struct lp_rng *rng;
    /* Adds what the name of a slot that is no list stands for ({things}, <money>): to `text` by the calls below. */
    void (*fill)(struct lp_expansion *x, const char *name);
    void *context; /* the filler's */

    struct lp_str text;  /* with marks */
    struct lp_str param; /* what stood after =>, with marks; empty when nothing did */
    struct {
        const char *name; /* borrowed from the grammar or static */
        char *text;       /* without marks */
    } capture[LP_CAPTURES];
    int n_captures, nested;
    bool failed; /* out of memory or more captures than fit */
};

/* Reads every .txt below `folder` and its subfolders words, phrasings, thoughts and answers. `slots` names the
 * slots that are no lists, ended by NULL (borrowed for ever). A mistake is LP_EINPUT with file and line. */
struct lp_grammar *lp_grammar_open(const char *folder, const char *const *slots, struct lp_error *err);
void lp_grammar_close(struct lp_grammar *grammar);
const char *lp_grammar_folder(void); /* where the source tree keeps data/; static */

/* "animal" for a word list, "phrasings/detect" and "phrasings/detect/count" for a file's sections. NULL: none. */
const struct lp_list *lp_grammar_find(const struct lp_grammar *grammar, const char *name);
/* The i-th list in reading order with its name; NULL past the end. */
const struct lp_list *lp_grammar_at(const struct lp_grammar *grammar, size_t i, const char **name);

size_t lp_list_entries(const struct lp_list *list);
/* How many expansions the list has, slots counting once; large numbers are rounded. */
double lp_list_variety(const struct lp_list *list);

/* Appends one random entry to x->text. */
void lp_grammar_expand(const struct lp_list *list, struct lp_expansion *x);

/* For fillers: adds text between marks and remembers it under `name`. */
void lp_expansion_capture(struct lp_expansion *x, const char *name, const char *text);
/* Remembers without adding. */
void lp_expansion_remember(struct lp_expansion *x, const char *name, const char *text);
const char *lp_expansion_find(const struct lp_expansion *x, const char *name); /* the newest; NULL: none */
void lp_expansion_done(struct lp_expansion *x);

#endif
