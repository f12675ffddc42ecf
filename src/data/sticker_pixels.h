/* SPDX-License-Identifier: MIT */
/* The pixels of stickers, for stickers.c: each fills levels that are there already, and says what colour it has. */
#ifndef LP_DATA_STICKER_PIXELS_H
#define LP_DATA_STICKER_PIXELS_H

#include "data/stickers.h"
#include "image/emoji.h"

/* A pictogram, its longest side filling the square. */
void lp_sticker_fit(struct lp_sticker *s, const struct lp_emoji *e);

/* A plain shape, white: tinting gives the colour. */
enum { LP_SHAPES = 9 };
struct lp_shape {
    const char *name, *synonyms;
    bool (*inside)(float x, float y); /* on [-1,1]^2, y downwards */
};
extern const struct lp_shape lp_shapes[LP_SHAPES];
void lp_sticker_shape(struct lp_sticker *s, const struct lp_shape *shape);

/* A figure, with tone and map. */
void lp_sticker_figure(struct lp_sticker *s, const struct lp_figure *figure);

#endif
