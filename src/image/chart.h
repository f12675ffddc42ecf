/* SPDX-License-Identifier: MIT */
/* chart.h - numbers as pictures. */
#ifndef LP_IMAGE_CHART_H
#define LP_IMAGE_CHART_H

#include "image/image.h"

/* A table of counts, each cell shaded by its share of its row: green where row and column have the same number (what is
 * right, in a table of confusions), else red. All borrowed. */
struct lp_chart_matrix {
    const char *title, *side; /* above the columns, above the rows */
    const char *const *row, *const *column;
    int rows, columns;
    const int *count; /* [rows,columns] */
};

/* Owned by caller; NULL on failure (LP_EMEMORY, or LP_EINTERNAL when no text can be drawn). */
struct lp_image *lp_chart_matrix(const struct lp_chart_matrix *m, struct lp_error *err);

/* One line of a diagram. Points that are not numbers are left out. */
struct lp_chart_line {
    const char *name; /* in the legend; NULL: not there, and not asked for how high the diagram is */
    const double *x, *y;
    int64_t n;
    uint8_t color[3];
    bool dots; /* mark the points */
};

/* Lines over numbered axes; all borrowed. */
struct lp_chart_lines {
    const char *title, *across; /* above, below */
    const struct lp_chart_line *line;
    int lines;
};

/* Owned by caller; NULL on failure, as above. Without any point the axes alone. */
struct lp_image *lp_chart_lines(const struct lp_chart_lines *c, struct lp_error *err);

#endif
