/* SPDX-License-Identifier: MIT */
/* emoji.h - a pictogram of Noto Color Emoji as pixels. Only making data needs the font (fonts-noto-color-emoji). */
#ifndef LP_IMAGE_EMOJI_H
#define LP_IMAGE_EMOJI_H

#include "base/error.h"

struct lp_emoji {
    int width, height; /* px, of the ink alone; about 128 */
    uint8_t *rgba;     /* [height,width,4], not premultiplied */
};

/* Draws UTF-8 `text`. Owned by caller (lp_emoji_done). LP_EMISSING without the font; LP_EINPUT when the font has no
 * such pictogram. */
bool lp_emoji_make(struct lp_emoji *e, const char *text, struct lp_error *err);
void lp_emoji_done(struct lp_emoji *e);

#endif
