/* SPDX-License-Identifier: MIT */
/* What Grounding DINO finds of a set's categories in its pictures. */
#ifndef LP_EVAL_COCO_DETECT_H
#define LP_EVAL_COCO_DETECT_H

#include "eval/coco.h"
#include "model/grounding_dino.h"

struct lp_coco_detect_settings {
    const char *folder; /* where the pictures are */
    const bool *chosen; /* [categories] which are looked for, or NULL: all */
    void (*tell)(void *context, int64_t done, int64_t count); /* progress, in pictures; or NULL */
    void *context;
};

/* Asks for the names of all categories, 80 in a caption, and adds the 300 surest boxes of each picture to the set that
 * has its truth, as the original is measured on COCO; but boxes of one name that share more than 0.8 of their union
 * count once, as for the skill. Captions without a category that is looked for are left out. LP_EIO, LP_EINPUT. */
bool lp_coco_detect(struct lp_coco *set, const struct lp_grounding_dino *model,
                    const struct lp_coco_detect_settings *settings, struct lp_error *err);

#endif
