/* SPDX-License-Identifier: MIT */
/* A scene: stickers on a background, and exactly what is where. The same seed and number give the same scene. */
#ifndef LP_DATA_SCENE_H
#define LP_DATA_SCENE_H

#include "base/rng.h"
#include "data/stickers.h"
#include "image/image.h"

enum { LP_SCENE_ITEMS = 6 };

/* Backgrounds have a name ("beach") and a place ("on a beach"). */
struct lp_backdrop {
    const char *name, *place;
    uint8_t above[2][3], below[2][3]; /* tones above and below the horizon, top to bottom */
    float horizon[2];                 /* 0..1 of the height, lowest and highest */
    int texture;                      /* of what is below: 0 none, 1 grain, 2 waves, 3 planks, 4 tiles */
};
extern const struct lp_backdrop lp_backdrops[];
extern const int lp_backdrop_count;

struct lp_scene_item {
    int sticker, color;     /* index into the stickers; of lp_color_names, -1: none */
    bool tinted;
    float x, y, size;       /* centre and longest side, 0..1 of the picture's side */
    float angle;            /* radians */
    bool flipped;
    uint8_t tone[3];        /* where tinted */
};

/* Items from the farthest to the nearest. */
struct lp_scene {
    struct lp_scene_item item[LP_SCENE_ITEMS];
    int items, backdrop;
    float horizon, gain, cast[3], grain; /* light and noise */
    uint64_t seed;                       /* of the noise */
};

/* Lays out scene `number` of `seed`; no item is hidden by more than a quarter. */
void lp_scene_make(struct lp_scene *scene, const struct lp_stickers *stickers, uint64_t seed, int64_t number);

/* Draws it: a picture of side px, and owner [side,side]: which item a pixel shows, or -1. Owned by caller. */
struct lp_image *lp_scene_draw(const struct lp_scene *scene, const struct lp_stickers *stickers, int side, int8_t *owner,
                               struct lp_error *err);

/* Where an item's ink is: visits the pixels of its square on a picture of side px with their RGBA (premultiplied). */
void lp_scene_visit(const struct lp_scene_item *item, const struct lp_sticker *sticker, int side,
                    void (*visit)(void *context, int x, int y, const float rgba[4]), void *context);

#endif
