/* SPDX-License-Identifier: MIT */
/* What scenes are made of: pictograms and plain shapes with names, as pixels. */
#ifndef LP_DATA_STICKERS_H
#define LP_DATA_STICKERS_H

#include "base/arena.h"
#include "base/error.h"

/* Colours with names. */
enum { LP_COLORS = 11 };
extern const char *const lp_color_names[LP_COLORS];       /* "red" .. */
extern const uint8_t lp_color_rgb[LP_COLORS][3];          /* a typical tone of each */
int lp_color_nearest(const uint8_t rgb[3]);               /* the name a pixel would be given */

enum { LP_STICKER_SIDE = 128, LP_STICKER_LEVELS = 4 };

/* Pixels in a square whose longest side the ink fills: level l is [128 >> l, 128 >> l, 4], RGBA premultiplied. */
struct lp_sticker {
    const char *name, *plural, *supercategory; /* "dog", "dogs", "animal" */
    const char *const *synonym;                /* ended by NULL */
    bool shape;                                /* drawn in any colour */
    bool tints;                                /* looks right in other colours, too */
    int color;                                 /* of most of it; -1: of several */
    uint8_t *level[LP_STICKER_LEVELS];
};

struct lp_stickers {
    struct lp_arena arena;
    struct lp_sticker *item;
    int count;
};

/* Reads stickers.txt of `folder` (data/scenes) and draws everything. One heap object, owned by the caller
 * (lp_stickers_close). NULL on failure: LP_EINPUT with file and line, LP_EMISSING without the emoji font. */
struct lp_stickers *lp_stickers_open(const char *folder, struct lp_error *err);
void lp_stickers_close(struct lp_stickers *stickers);
const char *lp_stickers_folder(void); /* data/scenes of the source tree; static */

#endif
