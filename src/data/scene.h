/* SPDX-License-Identifier: MIT */
/* A scene: stickers on a background, and exactly what is where. The same seed and number give the same scene. */
#ifndef LP_DATA_SCENE_H
#define LP_DATA_SCENE_H

#include "base/rng.h"
#include "data/pages.h"
#include "data/stickers.h"
#include "image/image.h"

enum { LP_SCENE_ITEMS = 6, LP_SCENE_CARDS = 2, LP_LINE_LETTERS = 48, LP_SCENE_LINES = 16,
       LP_CARD_LETTERS = LP_SCENE_LINES * LP_LINE_LETTERS, LP_LINE_WORDS = 8 };

/* Backgrounds have a name ("beach"), a place ("on a beach") and what is above and below the horizon. */
struct lp_backdrop {
    const char *name, *place, *stuff[2];
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
    uint8_t tone[3];        /* where tinted, */
    int dye;                /* and that colour's name; -1: not tinted */
    int on;                 /* the item that it stands on; -1: none */
};

/* A card or a board with print on it, behind all items and hidden by none. */
struct lp_scene_card {
    char text[LP_CARD_LETTERS]; /* lines parted by LF */
    float x, y, width, height;  /* top left, 0..1 of the picture's side */
    int font;
    bool framed;
    uint8_t paper[3], ink[3];
};

/* Items from the farthest to the nearest. */
struct lp_scene {
    struct lp_scene_item item[LP_SCENE_ITEMS];
    int items, backdrop;
    struct lp_scene_card card[LP_SCENE_CARDS];
    int cards;
    float horizon, gain, cast[3], grain; /* light and noise */
    uint64_t seed;                       /* of the noise */
};

/* Lays out scene `number` of `seed`; no item is hidden by more than a quarter. */
void lp_scene_make(struct lp_scene *scene, const struct lp_stickers *stickers, uint64_t seed, int64_t number);
/* One printed page takes the place of all items and cards. */
void lp_scene_print(struct lp_scene *scene, const struct lp_stickers *stickers, const struct lp_pages *pages, struct lp_rng *rng);

/* One more item of the kind and size given, in front, where there is room. False, and nothing changes, where there is
 * none. */
bool lp_scene_add(struct lp_scene *scene, const struct lp_stickers *stickers, const struct lp_scene_item *item,
                  struct lp_rng *rng);
/* Whether the items are inside the picture, and visible enough. */
bool lp_scene_sound(const struct lp_scene *scene, const struct lp_stickers *stickers);

int lp_scene_pick(const struct lp_stickers *stickers, struct lp_rng *rng); /* a pictogram or, rarely, a shape */
/* Gives the item the colour, or its own colour for -1. */
void lp_scene_color(struct lp_scene_item *item, const struct lp_stickers *stickers, int color, struct lp_rng *rng);

/* What a pixel shows that is not an item's number. */
enum { LP_SCENE_ABOVE = -1, LP_SCENE_BELOW = -2, LP_SCENE_CARD = -3 };

/* A line of print and its words: box x0 y0 x1 y1 px, around the ink. */
struct lp_scene_line {
    char text[LP_LINE_LETTERS];
    int box[4], words;
    struct {
        int at, letters; /* its place in the text */
        int box[4];
    } word[LP_LINE_WORDS];
};

struct lp_scene_view {
    struct lp_image *image;
    int8_t *owner; /* [side,side]: the item that a pixel shows, or LP_SCENE_ABOVE .. */
    uint8_t *part; /* [side,side]: which part of it, from 1; 0: none */
    struct lp_scene_line line[LP_SCENE_LINES];
    int lines;
};

/* Draws it as a picture of side px. The view is the caller's, also after a failure (lp_scene_view_done). */
bool lp_scene_draw(struct lp_scene_view *view, const struct lp_scene *scene, const struct lp_stickers *stickers, int side,
                   struct lp_error *err);
void lp_scene_view_done(struct lp_scene_view *view);

/* Where an item's ink is: visits the pixels of its square on a picture of side px with their RGBA (premultiplied) and
 * part (0: none). */
typedef void lp_scene_visitor(void *context, int x, int y, const float rgba[4], int part);
void lp_scene_visit(const struct lp_scene_item *item, const struct lp_sticker *sticker, int side, lp_scene_visitor *visit,
                    void *context);

#endif
