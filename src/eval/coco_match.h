/* SPDX-License-Identifier: MIT */
/* Which finds of a picture are right. */
#ifndef LP_EVAL_COCO_MATCH_H
#define LP_EVAL_COCO_MATCH_H

#include "eval/coco_score.h"

/* What became of a find, by size; bit i: at the i-th iou. What is ignored counts neither as right nor as
 * wrong. */
struct lp_coco_verdict {
    double score;
    int rank;       /* among the picture's finds, surest first, from 0 */
    uint32_t order; /* among all, for equal scores */
    uint16_t right[LP_COCO_SIZES], ignored[LP_COCO_SIZES];
};

extern const double lp_coco_size_limits[LP_COCO_SIZES][2]; /* px, both included */
double lp_coco_iou_at(int i);                              /* 0.50 .. 0.95 as numpy.linspace has them */

/* Gives the finds of one category in one picture, surest first, to what is there. Fills right and ignored of
 * verdict[finds] and adds to to_find how much there is of each size. *forgets becomes true as in
 * lp_coco_score. LP_EMEMORY. */
bool lp_coco_match(const struct lp_coco *set, const struct lp_coco_thing *const *truth, size_t truths,
                   const struct lp_coco_thing *const *found, size_t finds, struct lp_coco_verdict *verdict,
                   int64_t to_find[LP_COCO_SIZES], bool *forgets, struct lp_error *err);

#endif
