/* SPDX-License-Identifier: MIT */
/* chart_inner.h - what charts are drawn with. */
#ifndef LP_IMAGE_CHART_INNER_H
#define LP_IMAGE_CHART_INNER_H

#include "image/chart.h"

struct lp_chart_place {
    int x, y, width, height; /* px */
};

/* Where text goes in its place. */
enum lp_chart_align {
    LP_CHART_LEFT,
    LP_CHART_RIGHT,
    LP_CHART_MIDDLE,
    LP_CHART_BOTTOM /* upright, from the bottom up, centred */
};

void lp_chart_fill(struct lp_image *image, struct lp_chart_place r, const uint8_t color[3]);
void lp_chart_blend(struct lp_image *image, int x, int y, const uint8_t color[3], int alpha); /* 0..255 */
bool lp_chart_put(struct lp_image *image, const char *text, int size, struct lp_chart_place r, enum lp_chart_align align,
                  const uint8_t color[3], struct lp_error *err);

#endif
