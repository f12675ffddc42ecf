/* SPDX-License-Identifier: MIT */
/* Whether answers tell what a detector found: how many there are, and where. */
#ifndef LP_EVAL_ANSWER_SCORE_H
#define LP_EVAL_ANSWER_SCORE_H

#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/truth.h"

/* Zero-initialised is empty. */
struct lp_answer_score {
    int asked, looked;         /* questions; of these, the planner called the detector */
    int counted, counted_right; /* answers with a number; it is how many were found */
    int placed, placed_right;   /* answers with places; they are those of the boxes, each once */
    int right;                  /* answers that tell a number or places, and nothing of these wrongly */
};

/* A request to find, to count or to locate one kind of thing in a picture; at times of a kind that it does not show. */
void lp_answer_ask(const struct lp_truth *truth, const struct lp_truth_picture *picture, struct lp_rng *rng, struct lp_str *out);

/* An answer to n boxes of one kind, each x0y0x1y1 0..1. Returns whether it is right. False when out of memory, too. */
bool lp_answer_score_add(struct lp_answer_score *score, const char *answer, const float (*box)[4], int n);

void lp_answer_score_table(const struct lp_answer_score *score, struct lp_str *out); /* for people */
json_t *lp_answer_score_json(const struct lp_answer_score *score);                   /* NULL when out of memory */

#endif
