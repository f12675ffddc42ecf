/* SPDX-License-Identifier: MIT */
/* resize.h - Pillow's resize, bit for bit: two passes of 8-bit results, antialiased when shrinking. */
#ifndef LP_IMAGE_RESIZE_H
#define LP_IMAGE_RESIZE_H

#include "image/image.h"

enum lp_filter { LP_BILINEAR, LP_BICUBIC, LP_LANCZOS };

/* A new picture of width x height, owned by caller; NULL on failure (LP_EMEMORY; LP_EUSAGE for a size out of
 * the limits of image.h). */
struct lp_image *lp_resize(const struct lp_image *image, int width, int height, enum lp_filter filter,
                           struct lp_error *err);

/* What preprocessing wants beyond that, without ever making the whole: the picture lies on a canvas of one
 * colour, the canvas is resized, and a part of the result is taken. Exactly what the three steps one by one
 * give. */
struct lp_resize_part {
    int canvas_width, canvas_height; /* px */
    int left, top;                   /* where the picture lies on the canvas, wholly inside, px */
    uint8_t color[3];                /* of the canvas around it */
    int64_t width, height;           /* the canvas becomes this, px */
    int64_t x, y;                    /* the part's corner in that, px */
    int part_width, part_height;     /* px; inside width x height */
};
struct lp_image *lp_resize_part(const struct lp_image *image, const struct lp_resize_part *part,
                                enum lp_filter filter, struct lp_error *err);

#endif
