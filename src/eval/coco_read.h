/* SPDX-License-Identifier: MIT */
/* COCO's files into a set. The outside is not trusted: what is wrong is one sentence with the record's
 * number, counted from 1. */
#ifndef LP_EVAL_COCO_READ_H
#define LP_EVAL_COCO_READ_H

#include "base/json.h"
#include "eval/coco.h"

/* Annotations (instances.json) into an empty set: categories, pictures, and of each thing its box or, in a
 * set with masks, its segmentation: outlines, compressed or plain run lengths. `name` names the source in
 * errors. */
bool lp_coco_take_truth(struct lp_coco *set, const json_t *file, const char *name, struct lp_error *err);
bool lp_coco_read_truth(struct lp_coco *set, const char *path, struct lp_error *err);

/* A list of results into a set that has its truth. As in pycocotools a thing's area is its box's where it has
 * one, even in a set with masks; a box without a mask is its own mask, and a mask without a box has the box
 * around it. */
bool lp_coco_take_results(struct lp_coco *set, const json_t *list, const char *name, struct lp_error *err);
bool lp_coco_read_results(struct lp_coco *set, const char *path, struct lp_error *err);

#endif
