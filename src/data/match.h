/* SPDX-License-Identifier: MIT */
/* Whether the grammar can say a text: the other direction of data/grammar.h, for proofs that it cannot. What is
 * accepted is a little more than what is said (either number of a noun anywhere, either article before any noun), so
 * that a text that is not accepted cannot be made. */
#ifndef LP_DATA_MATCH_H
#define LP_DATA_MATCH_H

#include "data/grammar.h"

/* For many texts, one at a time. */
struct lp_matcher;

/* `nouns`: names of things beside those of the word lists, in either number, ended by NULL; NULL: none. Grammar and nouns
 * are borrowed. Owned by caller (lp_matcher_close). */
struct lp_matcher *lp_matcher_open(const struct lp_grammar *grammar, const char *const *nouns, struct lp_error *err);
void lp_matcher_close(struct lp_matcher *matcher);

/* Whether `text` is an expansion of the list; letter case, spaces, punctuation and letters beyond ASCII aside; `typos`
 * (0 or 1): after at most so many letters were changed, lost, added or swapped with the next. */
bool lp_grammar_matches(struct lp_matcher *matcher, const struct lp_list *list, const char *text, int typos);

/* Whether `text` is what a user may say in a dialogue: an expansion of any of the phrasings, with what stands around
 * instructions. Returns the list's name, borrowed from the grammar; NULL: it is not. */
const char *lp_grammar_says(struct lp_matcher *matcher, const char *text, int typos);

#endif
