/* SPDX-License-Identifier: MIT */
/* data/statistics_draw.c - statistics as bars, one row a kind: three columns of bars, each to its own scale. */
#include "data/statistics.h"

#include "image/draw.h"
#include "image/draw_text.h"

#include <string.h>

enum { NAME = 210, COLUMN = 300, BAR = 210, ROW = 24, TOP = 40, SIZE = 14, COLUMNS = 3 };

struct canvas {
    struct lp_image *image;
    struct lp_error *err;
};

static void fill(struct lp_image *image, int x0, int y0, int x1, int y1, const uint8_t rgb[3]) {
    for (int y = y0; y < y1 && y < image->height; y++)
        for (int x = x0; x < x1 && x < image->width; x++)
            memcpy(image->pixel + 3 * ((size_t)image->width * (size_t)y + (size_t)x), rgb, 3);
}

/* Dark text with its top left corner at x, y. */
static bool write_text(struct canvas *c, const char *text, int x, int y) {
    struct lp_draw_text t;
    if (!lp_draw_text_make(&t, text, SIZE, COLUMN, c->err))
        return false;
    for (int j = 0; j < t.height && y + j < c->image->height; j++)
        for (int i = 0; i < t.width && x + i < c->image->width; i++)
            for (int k = 0; k < 3; k++) {
                uint8_t *p = c->image->pixel + 3 * ((size_t)c->image->width * (size_t)(y + j) + (size_t)(x + i)) + k;
                *p = (uint8_t)(*p * (255 - t.alpha[t.width * j + i]) / 255);
            }
    lp_draw_text_done(&t);
    return true;
}

static double value_of(const struct lp_statistics *s, int column, int kind) {
    double records = s->dialogues[kind] ? (double)s->dialogues[kind] : 1;
    return column == 0   ? (double)s->dialogues[kind]
           : column == 1 ? (double)s->spoken[kind] / records
                         : (double)s->words[kind].n;
}

static bool draw_column(struct canvas *c, const struct lp_statistics *s, int column) {
    static const char *const titles[COLUMNS] = {"dialogues", "words an instruction", "distinct words"};
    int left = NAME + column * COLUMN;
    double most = 0;
    uint8_t rgb[3];
    lp_draw_color(column, rgb);
    for (int k = 0; k < LP_KINDS; k++)
        most = value_of(s, column, k) > most ? value_of(s, column, k) : most;
    bool ok = write_text(c, titles[column], left, 12);
    for (int k = 0; ok && k < LP_KINDS; k++) {
        double v = value_of(s, column, k);
        int y = TOP + k * ROW, n = most > 0 ? (int)(BAR * v / most) : 0;
        char number[32];
        fill(c->image, left, y + 2, left + (n > 1 ? n : 1), y + ROW - 4, rgb);
        snprintf(number, sizeof number, column == 1 ? "%.1f" : "%.0f", v);
        ok = write_text(c, number, left + n + 6, y + 5);
    }
    return ok;
}

struct lp_image *lp_statistics_draw(const struct lp_statistics *s, struct lp_error *err) {
    struct canvas c = {lp_image_new(NAME + COLUMNS * COLUMN, TOP + LP_KINDS * ROW + 12, err), err};
    if (!c.image)
        return NULL;
    memset(c.image->pixel, 255, 3 * (size_t)c.image->width * (size_t)c.image->height);
    bool ok = true;
    for (int k = 0; ok && k < LP_KINDS; k++)
        ok = write_text(&c, lp_kind_names[k], 12, TOP + k * ROW + 5);
    for (int column = 0; ok && column < COLUMNS; column++)
        ok = draw_column(&c, s, column);
    if (ok)
        return c.image;
    lp_image_close(c.image);
    return NULL;
}
