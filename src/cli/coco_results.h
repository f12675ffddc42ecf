/* SPDX-License-Identifier: MIT */
/* What skills found in many pictures as COCO's results: what `eval detect` and `eval segment` read. */
#ifndef LP_CLI_COCO_RESULTS_H
#define LP_CLI_COCO_RESULTS_H

#include "base/json.h"

/* Zero-initialised is a valid empty state. */
struct lp_coco_results {
    json_t *pictures;   /* file name -> id */
    json_t *categories; /* name in small letters -> id */
    json_int_t first;   /* the category of finds that have no phrase */
    json_t *list;
    int64_t strangers; /* finds whose phrase is no category; left out */
};

/* The ids of pictures and categories are those of COCO's annotations (instances.json). LP_EIO, LP_EINPUT. */
bool lp_coco_results_open(struct lp_coco_results *results, const char *truth, struct lp_error *err);

/* Adds what a skill's report tells: boxes [[x0,y0,x1,y1], ..] px with phrases and scores, masks with their
 * boxes and run lengths, or both of the same things in one order. The picture is found by the last part of
 * its path: LP_EINPUT where the annotations do not know it. */
bool lp_coco_results_add(struct lp_coco_results *results, const char *path, const json_t *report,
                         struct lp_error *err);

bool lp_coco_results_write(const struct lp_coco_results *results, const char *path, struct lp_error *err);
void lp_coco_results_done(struct lp_coco_results *results);

#endif
