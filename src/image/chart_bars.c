/* SPDX-License-Identifier: MIT */
/* image/chart_bars.c - lying bars, several measures of the same rows side by side. */
#include "image/chart_bars.h"

#include "image/chart_inner.h"
#include "image/draw_text.h"

#include <math.h>
#include <stdio.h>

enum { ROW = 26, BAR = 16, PANEL = 200, NUMBER = 64, GAP = 12, TEXT = 14, HEAD = 30 };

static const uint8_t paper[3] = {255, 255, 255}, band[3] = {247, 247, 250}, ink[3] = {34, 34, 40}, pale[3] = {110, 110, 120};

static bool widest(const struct lp_chart_bars *c, int *width, struct lp_error *err) {
    *width = 0;
    for (int i = 0; i < c->rows; i++) {
        struct lp_draw_text t = {0};
        if (lp_draw_text_visible(c->row[i]) && !lp_draw_text_make(&t, c->row[i], TEXT, 4096, err))
            return false;
        *width = t.width > *width ? t.width : *width;
        lp_draw_text_done(&t);
    }
    return true;
}

static double sane(double x) {
    return isfinite(x) && x > 0 ? x : 0;
}

/* What the longest bar stands for. One far beyond all others is cut, so that they can be told apart. */
static double find_scale(const double *value, int rows) {
    double most = 0, second = 0;
    for (int i = 0; i < rows; i++) {
        double x = sane(value[i]);
        second = x > most ? most : fmax(second, x);
        most = fmax(most, x);
    }
    return second > 0 && most > 4 * second ? 2 * second : most;
}

/* One measure, its bars as long as their share of the longest; the part of each that counts twice is darker. */
static bool draw_panel(struct lp_image *image, const struct lp_chart_bars *c, const struct lp_chart_panel *p, int x, int top,
                       struct lp_error *err) {
    double scale = find_scale(p->value, c->rows);
    uint8_t light[3];
    for (int k = 0; k < 3; k++)
        light[k] = p->part ? (uint8_t)(255 - (255 - p->color[k]) * 2 / 5) : p->color[k];
    bool ok = lp_chart_put(image, p->name, TEXT, (struct lp_chart_place){x, top - HEAD, PANEL + NUMBER, HEAD - 6}, LP_CHART_LEFT,
                           pale, err);
    for (int i = 0; ok && i < c->rows; i++) {
        int y = top + i * ROW, room = PANEL - 4;
        int whole = scale > 0 ? (int)lround(fmin(sane(p->value[i]) / scale, 1) * room) : 0;
        int part = p->part && sane(p->value[i]) > 0 ? (int)lround(fmin(sane(p->part[i]) / p->value[i], 1) * whole) : 0;
        char text[32];
        lp_chart_fill(image, (struct lp_chart_place){x, y + (ROW - BAR) / 2, whole, BAR}, light);
        lp_chart_fill(image, (struct lp_chart_place){x, y + (ROW - BAR) / 2, p->part ? part : whole, BAR}, p->color);
        if (sane(p->value[i]) > scale) /* cut */
            lp_chart_fill(image, (struct lp_chart_place){x + room * 3 / 4, y, 5, ROW}, paper);
        snprintf(text, sizeof text, "%.*f", p->digits, p->value[i]);
        ok = lp_chart_put(image, text, TEXT - 1, (struct lp_chart_place){x + whole + 6, y, NUMBER, ROW}, LP_CHART_LEFT, ink, err);
    }
    return ok;
}

struct lp_image *lp_chart_bars(const struct lp_chart_bars *c, struct lp_error *err) {
    int left, above = lp_draw_text_visible(c->title) ? 2 * HEAD : HEAD;
    if (!widest(c, &left, err))
        return NULL;
    left += 2 * GAP;
    int width = left + c->panels * (PANEL + NUMBER + GAP) + GAP, height = above + c->rows * ROW + GAP;
    struct lp_image *image = lp_image_new(width, height, err);
    if (!image)
        return NULL;
    lp_chart_fill(image, (struct lp_chart_place){0, 0, width, height}, paper);
    for (int i = 0; i < c->rows; i += 2)
        lp_chart_fill(image, (struct lp_chart_place){0, above + i * ROW, width, ROW}, band);
    bool ok = lp_chart_put(image, c->title, TEXT + 3, (struct lp_chart_place){GAP, 6, width, HEAD}, LP_CHART_LEFT, ink, err);
    for (int i = 0; ok && i < c->rows; i++)
        ok = lp_chart_put(image, c->row[i], TEXT, (struct lp_chart_place){0, above + i * ROW, left - GAP, ROW}, LP_CHART_RIGHT, ink,
                          err);
    for (int k = 0; ok && k < c->panels; k++)
        ok = draw_panel(image, c, &c->panel[k], left + k * (PANEL + NUMBER + GAP), above, err);
    if (ok)
        return image;
    lp_image_close(image);
    return NULL;
}
