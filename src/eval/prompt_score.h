/* SPDX-License-Identifier: MIT */
/* How well masks at clicks and in boxes fit what pictures show: intersection over union, its mean over things. The click is
 * on the innermost pixel of a thing (Kirillov et al. 2023, arXiv:2304.02643, section 7.1), the box is the thing's own. */
#ifndef LP_EVAL_PROMPT_SCORE_H
#define LP_EVAL_PROMPT_SCORE_H

#include "base/json.h"
#include "data/truth.h"
#include "skill/skill.h"

enum lp_prompted { LP_PROMPTED_WHOLES, LP_PROMPTED_PARTS, LP_PROMPTED_ALL, LP_PROMPTED };

/* Zero-initialised is empty. */
struct lp_prompt_score {
    int64_t things[LP_PROMPTED];
    double click[LP_PROMPTED], box[LP_PROMPTED]; /* sums of intersection over union */
};

/* Asks segment_at about everything in the picture that has a mask, twice. */
bool lp_prompt_score_add(struct lp_prompt_score *score, struct lp_bench *bench, const struct lp_truth_picture *picture,
                         const struct lp_image *image, struct lp_error *err);

/* 0 where there are no such things. */
double lp_prompt_score_click(const struct lp_prompt_score *score, enum lp_prompted which);
double lp_prompt_score_box(const struct lp_prompt_score *score, enum lp_prompted which);

void lp_prompt_score_table(const struct lp_prompt_score *score, struct lp_str *out); /* for people */
json_t *lp_prompt_score_json(const struct lp_prompt_score *score);                   /* NULL when out of memory */

/* The pixel of mask[height,width] that lies farthest from all that is outside, the picture's edge included; of several the
 * first; -1 -1 where nothing is inside. False when out of memory. */
bool lp_mask_innermost(const uint8_t *mask, int width, int height, int at[2]);

#endif
