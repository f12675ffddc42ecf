/* SPDX-License-Identifier: MIT */
/* Scenes in words, as entries of annotation lists: each begins with a comma. */
#ifndef LP_DATA_SCENE_TEXT_H
#define LP_DATA_SCENE_TEXT_H

#include "base/str.h"
#include "data/scene.h"

struct lp_scene_box {
    int x0, y0, x1, y1, area; /* px, of what is visible */
};

/* Two or three captions: every kind of thing with its number, its colour where it has one, and the place. */
void lp_scene_captions(const struct lp_scene *scene, const struct lp_stickers *stickers, int64_t number, uint64_t seed,
                       struct lp_str *out);

/* What is plainly left of, right of, above, below, behind or in front of what. */
void lp_scene_relations(const struct lp_scene *scene, const struct lp_scene_box *box, int side, int64_t number,
                        struct lp_str *out);

#endif
