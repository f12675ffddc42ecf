/* SPDX-License-Identifier: MIT */
/* The unified prediction format: thoughts, actions, value, as one text and as a plan. */
#ifndef LP_PLAN_ACTION_H
#define LP_PLAN_ACTION_H

#include "base/error.h"
#include "base/str.h"

#include <jansson.h>

#define LP_MARK_THOUGHTS "\"thoughts\xf0\x9f\xa4\x94\""
#define LP_MARK_ACTIONS "\"actions\xf0\x9f\x9a\x80\""
#define LP_MARK_VALUE "\"value\xf0\x9f\x91\x89\""

struct lp_plan {
    char *thoughts;   /* "" in a plain answer */
    json_t *actions;  /* [{"API_name": string, "API_params": object}, ...], in this key order */
    char *value;      /* a plain answer's whole text */
    bool marked;      /* the text had the three markers: it is no plain answer */
    bool bad_actions; /* there were actions that could not be read; `actions` holds those that could */
};

/* Reads what a planner wrote, whatever it wrote: the first thoughts marker, the last value marker and the
 * last actions marker between them; text without them in that order is a plain answer. Unknown keys are
 * dropped, missing API_params are {}, one object stands for a list of one, an `image` that is no picture's
 * handle is dropped. NULs and broken UTF-8 become U+FFFD. Fails only when out of memory. Then lp_plan_done.
 */
bool lp_plan_parse(const char *text, size_t n, struct lp_plan *plan, struct lp_error *err);
void lp_plan_done(struct lp_plan *plan);

/* Appends an assistant turn as planners are trained on it: each of the three followed by a line feed, each
 * only where it is not NULL. Out of memory shows in out->failed. */
void lp_plan_format(struct lp_str *out, const char *thoughts, const json_t *actions, const char *value);

/* Appends text with NULs and malformed UTF-8 as U+FFFD, one for each byte. */
void lp_text_clean(struct lp_str *out, const char *text, size_t n);

#endif
