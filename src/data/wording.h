/* SPDX-License-Identifier: MIT */
/* English at the level of letters: plurals, articles, spaces, and the noise of hasty typing. */
#ifndef LP_DATA_WORDING_H
#define LP_DATA_WORDING_H

#include "base/rng.h"
#include "base/str.h"

/* Adds `text` in one number: of every "mouse~mice" the one asked for; without a '~' and for plural, the last word's
 * regular plural. "water~-" is water in both. */
void lp_wording_number(const char *text, bool plural, struct lp_str *out);

/* How many bytes after the '~' at `mark` are the other number of the word that ends there: letters with as many '-' and
 * apostrophes as the word has, or the '-' of what has no other. */
size_t lp_wording_other(const char *word, const char *mark);

/* Adds `text` without the marks of data/grammar.h. */
void lp_wording_unmark(const char *text, struct lp_str *out);

/* In place: single spaces, none before punctuation, "a apple" -> "an apple". Marks are looked through. */
void lp_wording_tidy(struct lp_str *text);

/* How an instruction is typed. */
struct lp_typing {
    bool lower;     /* all in lower case, what is marked too */
    bool upper;     /* all in upper case but what is marked */
    bool unstopped; /* without the last '.', '?' or '!' */
    bool begin;     /* begins with a capital, unless a mark comes first */
    int typos;
};
void lp_typing_random(struct lp_typing *typing, struct lp_rng *rng);

/* Retypes a tidy, marked text that way; typos never fall between marks. Marks stay. */
void lp_wording_type(struct lp_str *text, const struct lp_typing *typing, struct lp_rng *rng);

#endif
