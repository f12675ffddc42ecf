/* SPDX-License-Identifier: MIT */
/* draw.h - marks on a picture: boxes with labels, masks, points. They change the picture given (copy it first
 * to keep it); what lies outside is clipped. Line width and text size follow the picture's size. */
#ifndef LP_IMAGE_DRAW_H
#define LP_IMAGE_DRAW_H

#include "image/image.h"

/* The index-th of a row of distinct colours, which starts again after the last. */
void lp_draw_color(int index, uint8_t rgb[3]);

struct lp_draw_box {
    float x0, y0, x1, y1; /* px */
    const char *label;    /* UTF-8, borrowed; NULL or "": none */
    int color;            /* see lp_draw_color */
};

/* All boxes, then all labels above them. LP_EMEMORY, or LP_EINTERNAL when no text can be drawn. */
bool lp_draw_boxes(struct lp_image *image, const struct lp_draw_box *box, size_t n, struct lp_error *err);

/* Tints where mask[height,width] is not 0; alpha 0..1. An outline marks the edge. */
void lp_draw_mask(struct lp_image *image, const uint8_t *mask, int color, float alpha);

/* A filled circle: green when it says "this", red when it says "not this". Coordinates in px. */
void lp_draw_point(struct lp_image *image, float x, float y, bool positive);

#endif
