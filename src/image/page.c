/* SPDX-License-Identifier: MIT */
/* image/page.c - a page for people. */
#include "image/page.h"

#include "image/draw_text.h"

#include <string.h>

enum { LONGEST = 54 }; /* bytes of a line: draw_text.h cuts after some fifty characters */

struct lp_image *lp_page_new(int width, int height, struct lp_error *err) {
    struct lp_image *page = lp_image_new(width, height, err);
    if (page)
        memset(page->pixel, 255, (size_t)width * (size_t)height * 3);
    return page;
}

void lp_page_paste(struct lp_image *page, const struct lp_image *from, int x, int y) {
    int left = x < 0 ? -x : 0, right = x + from->width > page->width ? page->width - x : from->width;
    for (int j = 0; j < from->height; j++)
        if (y + j >= 0 && y + j < page->height && right > left)
            memcpy(page->pixel + 3 * ((size_t)(y + j) * (size_t)page->width + (size_t)(x + left)),
                   from->pixel + 3 * ((size_t)j * (size_t)from->width + (size_t)left), 3 * (size_t)(right - left));
}

static void ink(struct lp_image *page, const struct lp_draw_text *t, int x, int y, const uint8_t color[3]) {
    for (int j = 0; j < t->height; j++)
        for (int i = 0; i < t->width; i++) {
            if (x + i < 0 || y + j < 0 || x + i >= page->width || y + j >= page->height)
                continue;
            uint8_t *p = page->pixel + 3 * ((size_t)(y + j) * (size_t)page->width + (size_t)(x + i));
            int alpha = t->alpha[j * t->width + i];
            for (int c = 0; c < 3; c++)
                p[c] = (uint8_t)((p[c] * (255 - alpha) + color[c] * alpha) / 255);
        }
}

/* Bytes of the next line of at most `most` bytes, cut at a blank or between characters; *skip: with what parts it from
 * the one after. */
static size_t next_line(const char *text, size_t most, size_t *skip) {
    size_t n = strcspn(text, "\n"), cut = n;
    if (n > most) {
        cut = most;
        while (cut > most / 2 && text[cut] != ' ')
            cut--;
        if (text[cut] != ' ')
            cut = most;
        while (cut > 1 && ((unsigned char)text[cut] & 0xc0) == 0x80)
            cut--;
    }
    *skip = cut + (text[cut] == ' ' || text[cut] == '\n');
    return cut;
}

int lp_page_write(struct lp_image *page, const char *text, int size, int x, int y, int width, const uint8_t color[3],
                  struct lp_error *err) {
    int height = 0, line = size * 7 / 5;
    size_t most = (size_t)(width * 10 / (size * 6)), skip; /* a letter is some 0.6 of its height wide */
    most = most < 8 ? 8 : most > LONGEST ? LONGEST : most;
    for (; *text; text += skip) {
        char part[LONGEST + 1];
        size_t n = next_line(text, most, &skip);
        memcpy(part, text, n);
        part[n] = 0;
        struct lp_draw_text drawn;
        if (page && lp_draw_text_visible(part)) {
            if (!lp_draw_text_make(&drawn, part, size, 4 * width, err))
                return -1;
            ink(page, &drawn, x, y + height, color);
            lp_draw_text_done(&drawn);
        }
        height += line;
    }
    return height;
}
