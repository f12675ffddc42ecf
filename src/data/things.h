/* SPDX-License-Identifier: MIT */
/* What the grammar's slots stand for: things to look for, and made-up words, numbers, prices and dates. */
#ifndef LP_DATA_THINGS_H
#define LP_DATA_THINGS_H

#include "data/grammar.h"

/* The slots of this file, ended by NULL:
 *   {things} one to three things as spoken of ("the red cars and a dog"), {thing} one ("my keys"), {bare} one to three
 *   without articles, {plural} and {singular} one without article: each captured as "thing" without its article;
 *   <word> <number> <money> <date> <time> <code> <phone>: made up anew each time. */
extern const char *const lp_things_slots[];

/* Fills such a slot; false when `name` is none of them. */
bool lp_things_fill(const struct lp_grammar *grammar, struct lp_expansion *x, const char *name);

/* A word that can be spoken but is in no dictionary: "plendor", "toskin". */
void lp_things_word(struct lp_rng *rng, struct lp_str *out);

#endif
