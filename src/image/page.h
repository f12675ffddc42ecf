/* SPDX-License-Identifier: MIT */
/* page.h - pictures and text laid out on a light page, for people to look at. What lies outside is clipped. */
#ifndef LP_IMAGE_PAGE_H
#define LP_IMAGE_PAGE_H

#include "image/image.h"

struct lp_page_pen {
    const char *font; /* as Pango names it: "sans", "sans bold", "monospace" */
    int size;         /* px */
    uint8_t color[3];
};

/* A white picture. Owned by caller. */
struct lp_image *lp_page_new(int width, int height, struct lp_error *err);

/* Copies `from` with its corner at (x,y). */
void lp_page_paste(struct lp_image *page, const struct lp_image *from, int x, int y);

/* Fills a rectangle with round corners. */
void lp_page_panel(struct lp_image *page, int x, int y, int width, int height, int radius, const uint8_t color[3]);

/* Writes text from (x,y) down, broken at words into lines of at most `width` px; line feeds are kept, markup means nothing,
 * broken UTF-8 is shown as such. page NULL: only measures. Returns the height that it takes, or -1 (LP_EMEMORY,
 * LP_EINTERNAL without a font). */
int lp_page_write(struct lp_image *page, const char *text, const struct lp_page_pen *pen, int x, int y, int width,
                  struct lp_error *err);

#endif
