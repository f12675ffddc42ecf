/* SPDX-License-Identifier: MIT */
/* What scenes are made of: pictograms, plain shapes and figures with parts; their names and pixels. */
#ifndef LP_DATA_STICKERS_H
#define LP_DATA_STICKERS_H

#include "base/arena.h"
#include "base/error.h"
#include "data/figures.h"

/* Colours with names. */
enum { LP_COLORS = 11 };
extern const char *const lp_color_names[LP_COLORS];       /* "red" .. */
extern const uint8_t lp_color_rgb[LP_COLORS][3];          /* a typical tone of each */
int lp_color_nearest(const uint8_t rgb[3]);               /* the name a pixel would be given */

enum { LP_STICKER_SIDE = 128, LP_STICKER_LEVELS = 4 };

/* Words of a thing and where they belong. */
struct lp_sticker_name {
    const char *name, *plural, *supercategory; /* "dog", "dogs", "animal" */
    const char *const *synonym;                /* ended by NULL */
};

/* Pixels in a square whose longest side the ink fills: level l is [128 >> l, 128 >> l, 4], RGBA premultiplied. */
struct lp_sticker {
    bool shape;      /* drawn in any colour */
    bool tints;      /* looks right in other colours, too */
    bool support;    /* things can stand on it */
    int color;       /* of most of it; -1: of several */
    unsigned colors; /* figures: that it comes in, bit c for colour c; 0: not a figure */
    uint8_t *level[LP_STICKER_LEVELS];
    uint8_t *tone[LP_STICKER_LEVELS]; /* figures: how much of a pixel has the scene's colour, [side,side]; else NULL */
    uint8_t *map;                     /* figures: which part is there, [side,side], 0: none; else NULL */
    int parts, part[LP_FIGURE_PARTS]; /* their categories; part k of the map is part[k - 1] */
    int part_color[LP_FIGURE_PARTS];  /* -1: the scene's */
};

/* Categories: pictograms [0, plain), shapes [plain, figures), figures [figures, count), then names of which only
 * parts exist [count, names). */
struct lp_stickers {
    struct lp_arena arena;
    struct lp_sticker *item;
    int plain, figures, count;
    struct lp_sticker_name *name; /* of all categories */
    int names;
    char **sign; /* what signs say, for lp_print_fill */
    int signs;
};

/* Reads stickers.txt and signs.txt of `folder` (data/scenes) and draws everything. One heap object, owned by the caller
 * (lp_stickers_close). NULL on failure: LP_EINPUT with file and line, LP_EMISSING without the emoji font. */
struct lp_stickers *lp_stickers_open(const char *folder, struct lp_error *err);
void lp_stickers_close(struct lp_stickers *stickers);
const char *lp_stickers_folder(void); /* data/scenes of the source tree; static */

#endif
