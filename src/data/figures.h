/* SPDX-License-Identifier: MIT */
/* Things that are put together from plain shapes, and whose parts are known. */
#ifndef LP_DATA_FIGURES_H
#define LP_DATA_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

enum { LP_FIGURE_PARTS = 9, LP_FIGURE_LAYERS = 20 };

/* A shape in the box x0 y0 x1 y1 of [-1,1]^2, y downwards. */
struct lp_figure_layer {
    const char *part; /* a new part's name; "": more of the last part; NULL: a mark on whatever is below it */
    int shape;        /* figures.c */
    float x0, y0, x1, y1;
    bool toned;       /* has the figure's own colour, which each scene chooses, instead of rgb */
    uint8_t rgb[3];
};

struct lp_figure {
    const char *name, *synonyms, *supercategory;
    unsigned colors; /* that it comes in: bit c is colour c of data/stickers.h */
    int color;       /* it has whatever is toned in another colour; -1: the tone's */
    struct lp_figure_layer layer[LP_FIGURE_LAYERS]; /* from the back to the front */
};
extern const struct lp_figure lp_figures[];
extern const int lp_figure_count;

/* Layers that begin a part, in order, are its parts from 1 on; `first` (LP_FIGURE_PARTS places) gets them. */
int lp_figure_parts(const struct lp_figure *figure, const struct lp_figure_layer **first);

/* Draws it: rgba [side,side,4] premultiplied, black where toned; tone [side,side]: how much of a pixel is toned;
 * part [side,side]: which part is there, 0: none. */
void lp_figure_draw(const struct lp_figure *figure, int side, uint8_t *rgba, uint8_t *tone, uint8_t *part);

#endif
