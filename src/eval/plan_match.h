/* SPDX-License-Identifier: MIT */
/* Whether a plan is one that was expected: by its skills and by their arguments. */
#ifndef LP_EVAL_PLAN_MATCH_H
#define LP_EVAL_PLAN_MATCH_H

#include "base/json.h"
#include "base/str.h"

/* `expected`: the acceptable plans, each a list of calls {"skill": task name, "params": {..}}; an empty list is the plan
 * that calls nothing. Params that are not given may be anything. Of those given:
 *   a text that names things ("caption"): phrases joined by " . ", or several wordings of one by "|" ("bike|bicycle . dog");
 *     the set of phrases must be the same, letter case, articles and plural endings aside;
 *   another text ("prompt"): an exact one in the same sense, or {"contains": [..], "lacks": [..]}: words or phrases that must
 *     or must not stand in it, each perhaps several wordings parted by "|";
 *   points and boxes: the same ones within 0.011, in any order; box handles and all other handles: the same. */

/* Whether `expected` has that form, with skills and params that exist. */
bool lp_expected_check(const json_t *expected, struct lp_error *err);

enum lp_plan_verdict { LP_PLAN_RIGHT, LP_PLAN_WRONG_ARGUMENTS, LP_PLAN_WRONG_SKILLS };

/* The best verdict over the acceptable plans, for `actions` [{"API_name", "API_params"}, ..]. False: out of memory. */
bool lp_plan_match(const json_t *expected, const json_t *actions, enum lp_plan_verdict *verdict, struct lp_error *err);

/* Adds `text` as words parted and surrounded by single spaces: lower case, without articles, without endings that tell
 * the number. "The two Dogs" with `bare` (also without words of number and owner at its start): " dog ". */
void lp_plan_words(const char *text, size_t n, bool bare, struct lp_str *out);

#endif
