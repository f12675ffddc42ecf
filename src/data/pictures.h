/* SPDX-License-Identifier: MIT */
/* A fixed pool of simple pictures: 224 x 224 px, a background, a few coloured shapes, at times a printed word. What
 * each shows is known from its number, so dialogues can speak of it whether or not it was ever drawn. */
#ifndef LP_DATA_PICTURES_H
#define LP_DATA_PICTURES_H

#include "base/error.h"

enum { LP_PICTURES = 512, LP_PICTURE_SHAPES = 3 };

struct lp_picture_shape {
    const char *kind, *color; /* "circle", "red": static */
    float x, y, size;         /* centre and half its extent, 0..1 of the picture */
};

struct lp_picture {
    char name[16]; /* "0007.jpg" */
    struct lp_picture_shape shape[LP_PICTURE_SHAPES]; /* no two of the same kind */
    int shapes;                                       /* 1..3 */
    const char *background;                           /* its colour, or NULL for noise */
    char word[16];                                    /* printed below; "" for none */
};

void lp_picture_describe(struct lp_picture *picture, int number); /* 0..LP_PICTURES-1 */

/* Draws the whole pool as JPEG files into a folder, which is made if need be. */
bool lp_pictures_save(const char *folder, struct lp_error *err);

#endif
