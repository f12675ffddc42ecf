/* SPDX-License-Identifier: MIT */
/* Names of things in English: their numbers, and which things a phrase speaks of. */
#ifndef LP_DATA_NAMES_H
#define LP_DATA_NAMES_H

#include "base/str.h"
#include "data/truth.h"

/* Adds the name of one thing or of several in the plural or singular; what follows the noun stays:
 * "dog on a sofa" -> "dogs on a sofa". Names that have one number only keep it. */
void lp_name_plural(const char *name, struct lp_str *out);
void lp_name_singular(const char *name, struct lp_str *out);

/* Adds "a dog", "an apple", "two dogs", "12 dogs", "scissors", "no dogs" for a name in either number. */
void lp_name_counted(const char *name, int n, struct lp_str *out);
/* "two" up to six, then digits; lives in out. */
void lp_name_number(int n, struct lp_str *out);

/* Whether a phrase ("the red cars on the left") speaks of the object: its head noun is a name, a synonym or the
 * supercategory of the object's category in either number, and a colour or size before it is the object's. */
bool lp_phrase_fits(const char *phrase, const struct lp_truth *truth, const struct lp_truth_object *object);

#endif
