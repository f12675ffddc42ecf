/* SPDX-License-Identifier: MIT */
/* image/chart.c - a table of counts with shaded cells; the names of columns stand upright to save room. */
#include "image/chart.h"

#include "image/draw_text.h"

#include <stdio.h>
#include <string.h>

enum { CELL = 40, TEXT = 15, NUMBER = 14, GAP = 8 };

static const uint8_t ink[3] = {34, 34, 40}, pale[3] = {110, 110, 120};

struct rectangle {
    int x, y, width, height;
};

static void fill(struct lp_image *image, struct rectangle r, const uint8_t color[3]) {
    for (int y = r.y < 0 ? 0 : r.y; y < r.y + r.height && y < image->height; y++)
        for (int x = r.x < 0 ? 0 : r.x; x < r.x + r.width && x < image->width; x++)
            memcpy(image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x), color, 3);
}

static void blend(struct lp_image *image, int x, int y, const uint8_t color[3], int alpha) {
    if (x < 0 || y < 0 || x >= image->width || y >= image->height)
        return;
    uint8_t *p = image->pixel + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    for (int c = 0; c < 3; c++)
        p[c] = (uint8_t)((p[c] * (255 - alpha) + color[c] * alpha + 127) / 255);
}

/* Where text goes in its rectangle. */
enum place { RIGHT, MIDDLE, BOTTOM /* upright, from the bottom up, centred */ };

static bool put(struct lp_image *image, const char *text, int size, struct rectangle r, enum place place,
                const uint8_t color[3], struct lp_error *err) {
    struct lp_draw_text t;
    if (!lp_draw_text_visible(text))
        return true;
    if (!lp_draw_text_make(&t, text, size, 4096, err))
        return false;
    int wide = place == BOTTOM ? t.height : t.width, high = place == BOTTOM ? t.width : t.height;
    int left = place == RIGHT ? r.x + r.width - wide : r.x + (r.width - wide) / 2;
    int top = place == BOTTOM ? r.y + r.height - high : r.y + (r.height - high) / 2;
    for (int y = 0; y < t.height; y++)
        for (int x = 0; x < t.width; x++) {
            int alpha = t.alpha[(size_t)y * (size_t)t.width + (size_t)x];
            if (place == BOTTOM)
                blend(image, left + y, top + t.width - 1 - x, color, alpha);
            else
                blend(image, left + x, top + y, color, alpha);
        }
    lp_draw_text_done(&t);
    return true;
}

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

static bool draw_cell(struct lp_image *image, const struct lp_chart_matrix *m, int i, int k, struct rectangle at,
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
    fill(image, at, color);
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    return !n || put(image, text, NUMBER, at, MIDDLE, share > 0.55 ? white : ink, err);
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
    fill(image, (struct rectangle){0, 0, image->width, image->height}, paper);
    bool ok = put(image, m->title, TEXT, (struct rectangle){left, GAP, m->columns * CELL, TEXT}, MIDDLE, pale, err) &&
              put(image, m->side, TEXT, (struct rectangle){0, top - TEXT, left - GAP, TEXT}, RIGHT, pale, err);
    for (int k = 0; ok && k < m->columns; k++)
        ok = put(image, m->column[k], TEXT, (struct rectangle){left + k * CELL, 0, CELL, top}, BOTTOM, ink, err);
    for (int i = 0; ok && i < m->rows; i++) {
        int y = top + GAP + i * CELL;
        ok = put(image, m->row[i], TEXT, (struct rectangle){0, y, left - GAP, CELL}, RIGHT, ink, err);
        for (int k = 0; ok && k < m->columns; k++)
            ok = draw_cell(image, m, i, k, (struct rectangle){left + k * CELL + 1, y + 1, CELL - 2, CELL - 2}, err);
    }
    if (ok)
        return image;
    lp_image_close(image);
    return NULL;
}
