/* SPDX-License-Identifier: MIT */
/* Average precision and recall of a set, over all and by category. */
#ifndef LP_EVAL_COCO_SCORE_H
#define LP_EVAL_COCO_SCORE_H

#include "eval/coco.h"

enum {
    LP_COCO_IOUS = 10,     /* how much must be common: 0.50, 0.55 .. 0.95 */
    LP_COCO_RECALLS = 101, /* where precision is read off: 0, 0.01 .. 1 */
    LP_COCO_IOU_50 = 0,    /* places among the ious */
    LP_COCO_IOU_75 = 5
};

/* By area: up to 32 x 32 px, up to 96 x 96 px, above; what lies on a limit is both. */
enum lp_coco_size { LP_COCO_ALL, LP_COCO_SMALL, LP_COCO_MEDIUM, LP_COCO_LARGE, LP_COCO_SIZES };

/* How many of a category's surest finds count in a picture: 1, 10, settings.most. */
enum { LP_COCO_FIRST, LP_COCO_TEN, LP_COCO_MOST, LP_COCO_CUTS };

struct lp_coco_settings {
    int most;           /* finds of a category in a picture that count, at least 1; usually 100 */
    bool agnostic;      /* take all categories for one */
    const bool *chosen; /* [categories] which count, or NULL: all */
    void (*tell)(void *context, int64_t done, int64_t count); /* progress, in things; or NULL */
    void *context;
};

/* All -1 for sizes of which there is nothing to find. */
struct lp_coco_rates {
    int64_t truths, crowds, found;                 /* things to find, crowds, finds; of all sizes */
    double precision[LP_COCO_SIZES][LP_COCO_IOUS]; /* the mean over the 101 recalls */
    double recall[LP_COCO_SIZES][LP_COCO_CUTS][LP_COCO_IOUS]; /* the highest */
};

/* pycocotools' twelve numbers in its order; -1 where there is nothing to find. */
struct lp_coco_summary {
    double ap, ap50, ap75, ap_small, ap_medium, ap_large;
    double ar_1, ar_10, ar_most, ar_small, ar_medium, ar_large;
};

struct lp_coco_score {
    int most;
    struct lp_coco_rates *category; /* [rows] */
    int *place;                     /* [rows] of the category in the set; -1: all of them as one */
    int rows;
    int64_t pictures, truths, crowds, found;
    bool forgets; /* an annotation of id 0 was found, which pycocotools and therefore this counts as missed */
    struct lp_coco_summary summary;
    double curve[LP_COCO_IOUS]
                [LP_COCO_RECALLS]; /* precision at each recall, the mean over categories; -1: none */
};

/* Fills *score, which is done with by lp_coco_score_done whatever this returns. LP_EMEMORY. */
bool lp_coco_score(const struct lp_coco *set, const struct lp_coco_settings *settings,
                   struct lp_coco_score *score, struct lp_error *err);
void lp_coco_score_done(struct lp_coco_score *score);

/* The twelve of one row, as if it were alone. */
struct lp_coco_summary lp_coco_summarize(const struct lp_coco_rates *row, int rows);

#endif
