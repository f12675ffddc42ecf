/* SPDX-License-Identifier: MIT */
/* page.h - pictures and lines of text laid out on a light page, for people to look at. */
#ifndef LP_IMAGE_PAGE_H
#define LP_IMAGE_PAGE_H

#include "image/image.h"

/* A white picture. Owned by caller. */
struct lp_image *lp_page_new(int width, int height, struct lp_error *err);

/* Copies `from` with its corner at (x,y); what lies outside is clipped. */
void lp_page_paste(struct lp_image *page, const struct lp_image *from, int x, int y);

/* Writes text in lines of at most `width` px from (x,y) down, `size` px high; line feeds are kept. color: RGB.
 * page NULL: only measures. Returns the height that it takes, or -1 (LP_EMEMORY, LP_EINTERNAL without a font). */
int lp_page_write(struct lp_image *page, const char *text, int size, int x, int y, int width, const uint8_t color[3],
                  struct lp_error *err);

#endif
