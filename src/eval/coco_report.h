/* SPDX-License-Identifier: MIT */
/* A set's score as a table, as JSON and as pictures. */
#ifndef LP_EVAL_COCO_REPORT_H
#define LP_EVAL_COCO_REPORT_H

#include "base/json.h"
#include "base/str.h"
#include "eval/coco_score.h"
#include "image/image.h"

/* The twelve numbers and a line for each category that has or was given anything; "-" where there is nothing
 * to find. */
void lp_coco_table(const struct lp_coco *set, const struct lp_coco_score *score, struct lp_str *out);

/* {"of": "boxes" or "masks", "pictures", "truths", "crowds", "found", "most", the twelve, "categories":
 * [{"id", "name", .., the twelve}]}; null where there is nothing to find. Owned by caller; NULL when out of
 * memory. */
json_t *lp_coco_json(const struct lp_coco *set, const struct lp_coco_score *score, struct lp_error *err);

/* Precision over recall at ious of 0.50, 0.75 and 0.90, the mean over categories. Owned by caller; NULL on
 * failure. */
struct lp_image *lp_coco_curves(const struct lp_coco *set, const struct lp_coco_score *score,
                                struct lp_error *err);

/* AP50 with AP, and recall, of up to 60 categories that have something to find, the worst first. Owned by
 * caller. */
struct lp_image *lp_coco_bars(const struct lp_coco *set, const struct lp_coco_score *score,
                              struct lp_error *err);

#endif
