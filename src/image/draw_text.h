/* SPDX-License-Identifier: MIT */
/* draw_text.h - a line of text as coverage [height,width], for draw.c. */
#ifndef LP_IMAGE_DRAW_TEXT_H
#define LP_IMAGE_DRAW_TEXT_H

#include "base/error.h"

struct lp_draw_text {
    int width, height; /* px, of the ink alone */
    uint8_t *alpha;    /* [height,width], 0..255 */
};

bool lp_draw_text_visible(const char *text); /* whether it is more than NULL, "" or blanks */

/* Draws UTF-8 (broken bytes are shown as such) about `size` px high, cut after some fifty characters and
 * broken into lines of at most `width` px. Owned by caller (lp_draw_text_done). LP_EINTERNAL when there is no
 * font. */
bool lp_draw_text_make(struct lp_draw_text *t, const char *text, int size, int width, struct lp_error *err);

/* Draws UTF-8 as one line in a font named as Pango does ("DejaVu Sans Bold"), `size` px an em. The rest as above. */
bool lp_draw_text_print(struct lp_draw_text *t, const char *text, const char *font, int size, struct lp_error *err);
void lp_draw_text_done(struct lp_draw_text *t);

#endif
