/* SPDX-License-Identifier: MIT */
/* chart_bars.h - several measures of the same things as lying bars, side by side. */
#ifndef LP_IMAGE_CHART_BARS_H
#define LP_IMAGE_CHART_BARS_H

#include "image/image.h"

/* One measure; its bars share a scale from 0, but one that is far beyond all others is cut, with a gap. All borrowed. */
struct lp_chart_panel {
    const char *name;           /* above */
    const double *value, *part; /* [rows]; part: of each value, drawn darker; NULL: none. Below 0 or no number: 0 */
    uint8_t color[3];
    int digits;                 /* behind the point, of the numbers at the bars' ends */
};

struct lp_chart_bars {
    const char *title; /* NULL: none */
    const char *const *row;
    int rows;
    const struct lp_chart_panel *panel;
    int panels;
};

/* Owned by caller; NULL on failure (LP_EMEMORY, or LP_EINTERNAL when no text can be drawn). */
struct lp_image *lp_chart_bars(const struct lp_chart_bars *c, struct lp_error *err);

#endif
