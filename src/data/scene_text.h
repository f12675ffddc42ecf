/* SPDX-License-Identifier: MIT */
/* Scenes in words, as entries of annotation lists: each begins with a comma. */
#ifndef LP_DATA_SCENE_TEXT_H
#define LP_DATA_SCENE_TEXT_H

#include "base/str.h"
#include "data/scene.h"

struct lp_scene_box {
    int x0, y0, x1, y1, area; /* px, of what is visible */
};

/* The id of an item's annotation; part 0 is the item itself. */
int64_t lp_scene_id(int64_t number, int item, int part);

/* Adds text as a JSON string with its quotes. */
void lp_scene_quote(const char *text, struct lp_str *out);

/* Whether it has one number only, as scissors do: no "a". */
bool lp_scene_paired(const struct lp_sticker_name *name);

/* Items of one sticker and of colour `color`, -1 where they differ or have none. */
struct lp_scene_kind {
    int sticker, count, color, first;
};
int lp_scene_kinds(const struct lp_scene *scene, struct lp_scene_kind kind[LP_SCENE_ITEMS]);

/* One sentence: every kind of thing with its number, its colour where it has one, and the place: "Two dogs and a red car
 * on a beach." The order is the dice's; `plain`: so is the form otherwise. */
void lp_scene_caption(const struct lp_scene *scene, const struct lp_stickers *stickers, bool plain, struct lp_rng *rng,
                      struct lp_str *out);

/* Two or three captions. */
void lp_scene_captions(const struct lp_scene *scene, const struct lp_stickers *stickers, int64_t number, uint64_t seed,
                       struct lp_str *out);

/* What is plainly left of, right of, above, below, behind, in front of or on what. */
void lp_scene_relations(const struct lp_scene *scene, const struct lp_scene_box *box, int side, int64_t number,
                        struct lp_str *out);

#endif
