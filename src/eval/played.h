/* SPDX-License-Identifier: MIT */
/* Skills played from the truth, so that a planner can be measured without any of their weights. */
#ifndef LP_EVAL_PLAYED_H
#define LP_EVAL_PLAYED_H

#include "data/truth.h"
#include "skill/skill.h"

struct lp_played;

/* truth is borrowed. imperfect: what usual skills miss, invent and misread (data/results.h). Owned by caller. */
struct lp_played *lp_played_open(const struct lp_truth *truth, bool imperfect, struct lp_error *err);
void lp_played_close(struct lp_played *played);

/* The picture that calls are about from now on; the same picture and seed give the same results. */
void lp_played_picture(struct lp_played *played, const struct lp_truth_picture *picture, uint64_t seed);

/* For lp_agent.play. Skills that leave masks, maps or pictures are not played: they fail with a sentence. */
struct lp_play lp_played_play(struct lp_played *played);

#endif
