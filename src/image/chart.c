/* SPDX-License-Identifier: MIT */
/* image/chart.c - a table of counts with shaded cells; the names of columns stand upright to save room. */
#include "image/chart_inner.h"

#include "image/draw_text.h"

#include <stdio.h>
#include <string.h>

enum { CELL = 40, TEXT = 15, NUMBER = 14, GAP = 8 };

static const uint8_t ink[3] = {34, 34, 40}, pale[3] = {110, 110, 120};

static bool widest(const char *const *name, int n, int *width, struct lp_error *err) {
    *width = 0;
    for (int i = 0; i < n; i++) {
        struct lp_draw_text t = {0};
        if (lp_draw_text_visible(name[i]) && !lp_draw_text_make(&t, name[i], TEXT, 4096, err))
            return false;
        *width = t.width > *width ? t.width : *width;
        lp_draw_text_done(&t);
    }
    return true;
}

static bool draw_cell(struct lp_image *image, const struct lp_chart_matrix *m, int i, int k, struct lp_chart_place at,
                      struct lp_error *err) {
    static const uint8_t right[3] = {38, 148, 96}, wrong[3] = {206, 66, 52}, none[3] = {244, 244, 246},
                         white[3] = {255, 255, 255};
    const int *row = m->count + (size_t)i * (size_t)m->columns;
    int sum = 0, n = row[k];
    for (int c = 0; c < m->columns; c++)
        sum += row[c];
    uint8_t color[3];
    memcpy(color, none, 3);
    double share = n ? 0.18 + 0.82 * n / sum : 0;
    for (int c = 0; n && c < 3; c++)
        color[c] = (uint8_t)(255 + share * ((i == k ? right : wrong)[c] - 255) + 0.5);
    lp_chart_fill(image, at, color);
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    return !n || lp_chart_put(image, text, NUMBER, at, LP_CHART_MIDDLE, share > 0.55 ? white : ink, err);
}

struct lp_image *lp_chart_matrix(const struct lp_chart_matrix *m, struct lp_error *err) {
    static const uint8_t paper[3] = {255, 255, 255};
    int left, top;
    if (!widest(m->row, m->rows, &left, err) || !widest(m->column, m->columns, &top, err))
        return NULL;
    left += 2 * GAP;
    top += 3 * GAP + TEXT;
    struct lp_image *image =
        lp_image_new(left + m->columns * CELL + GAP, top + GAP + m->rows * CELL + GAP, err);
    if (!image)
        return NULL;
    lp_chart_fill(image, (struct lp_chart_place){0, 0, image->width, image->height}, paper);
    bool ok = lp_chart_put(image, m->title, TEXT, (struct lp_chart_place){left, GAP, m->columns * CELL, TEXT}, LP_CHART_MIDDLE, pale, err) &&
              lp_chart_put(image, m->side, TEXT, (struct lp_chart_place){0, top - TEXT, left - GAP, TEXT}, LP_CHART_RIGHT, pale, err);
    for (int k = 0; ok && k < m->columns; k++)
        ok = lp_chart_put(image, m->column[k], TEXT, (struct lp_chart_place){left + k * CELL, 0, CELL, top}, LP_CHART_BOTTOM, ink, err);
    for (int i = 0; ok && i < m->rows; i++) {
        int y = top + GAP + i * CELL;
        ok = lp_chart_put(image, m->row[i], TEXT, (struct lp_chart_place){0, y, left - GAP, CELL}, LP_CHART_RIGHT, ink, err);
        for (int k = 0; ok && k < m->columns; k++)
            ok = draw_cell(image, m, i, k, (struct lp_chart_place){left + k * CELL + 1, y + 1, CELL - 2, CELL - 2}, err);
    }
    if (ok)
        return image;
    lp_image_close(image);
    return NULL;
}
