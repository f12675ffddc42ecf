/* SPDX-License-Identifier: MIT */
/* boxes.h - boxes [n,4] in the forms in which networks and files have them, what two share, and the choice of
 * the surest among those that show the same (non-maximum suppression). As torchvision.ops. */
#ifndef LP_IMAGE_BOXES_H
#define LP_IMAGE_BOXES_H

#include "base/error.h"

enum lp_box_form {
    LP_BOX_CORNERS,  /* x0 y0 x1 y1 */
    LP_BOX_SIZED,    /* x0 y0 width height, as COCO's files */
    LP_BOX_CENTERED, /* centre's x y, width height, as DETR and its kin */
};

/* from[n,4] -> to[n,4], which may be the same place. */
void lp_boxes_convert(float *to, enum lp_box_form to_form, const float *from, enum lp_box_form from_form,
                      int64_t n);

/* box[n,4] of any form from 0..1 to pixels of a picture; with 1 / width and 1 / height the way back. */
void lp_boxes_scale(float *box, int64_t n, float width, float height);

/* Corners [n,4] into 0..width, 0..height. */
void lp_boxes_clip(float *corners, int64_t n, float width, float height);

/* The share of the union of two boxes (corners) that is common, 0..1; not a number for two boxes without
 * area. */
float lp_box_iou(const float a[4], const float b[4]);

enum { LP_PLACES = 9 };
extern const char *const lp_place_names[LP_PLACES]; /* "at the top left", "at the top" .. "in the middle" .., row by row */

/* Which of them a box (corners, 0..1) is at, by its middle. */
int lp_box_place(const float corners[4]);

/* Of corners[n,4], the surest first, keeps each that shares at most `most` with every one kept before it.
 * With group[n], only boxes of one group compete. kept[n]: room for their places, the surest first; of equal
 * scores the first comes first, and a score that is no number last. Returns how many, or -1: LP_EMEMORY. Time
 * grows with the square of n. */
int64_t lp_boxes_suppress(const float *corners, const float *score, const int *group, int64_t n, double most,
                          int64_t *kept, struct lp_error *err);

#endif
