/* SPDX-License-Identifier: MIT */
/* What the grammar's slots stand for: things to look for, and made-up words, numbers, prices and dates. */
#ifndef LP_DATA_THINGS_H
#define LP_DATA_THINGS_H

#include "data/grammar.h"
#include "data/truth.h"

/* What there is to speak of. */
struct lp_world {
    const struct lp_truth *truth;             /* NULL: no scenes */
    const struct lp_truth_picture *picture; /* that is spoken of; NULL: none */
};

/* The slots of this file, ended by NULL:
 *   {things} one to three things as spoken of ("the red cars and a dog"), {thing} one ("my keys"), {bare} one to three
 *   without articles, {plural} and {singular} one without article: each captured as "thing" without its article and
 *   mostly something that the picture shows, and another than those before it in the sentence; {plural}, {things} and
 *   {bare} are at times two colours of one thing, "red and blue cars", captured as two;
 *   <seen> the name of such a thing with its plural;
 *   <word> <number> <money> <date> <time> <code> <phone>: made up anew each time. */
extern const char *const lp_things_slots[];

/* Kinds that people ask for by that name, ended by NULL. */
extern const char *const lp_things_kinds[];

/* Fills such a slot; false when `name` is none of them. */
bool lp_things_fill(const struct lp_grammar *grammar, const struct lp_world *world, struct lp_expansion *x,
                    const char *name);

/* A category that the picture shows nothing of, or -1. */
int lp_things_absent(const struct lp_world *world, struct lp_rng *rng);
/* Its name, or now and then a synonym. */
const char *lp_things_name(const struct lp_truth *truth, int category, struct lp_rng *rng);

/* A word that can be spoken but is in no dictionary: "plenor", "toskin". */
void lp_things_word(struct lp_rng *rng, struct lp_str *out);
/* Its parts: one to LP_WORD_SYLLABLES times a first and a middle one, then a last one. Each list ends with NULL. */
enum { LP_WORD_SYLLABLES = 3 };
extern const char *const lp_word_first[], *const lp_word_middle[], *const lp_word_last[];

#endif
