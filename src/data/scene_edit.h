/* SPDX-License-Identifier: MIT */
/* Pairs as InstructPix2Pix learns from: a scene, an instruction, and the same layout after it. */
#ifndef LP_DATA_SCENE_EDIT_H
#define LP_DATA_SCENE_EDIT_H

#include "base/str.h"
#include "data/scene.h"

/* Removes, adds, recolours, replaces, or changes the background: what it was is added to `instruction`. False where the
 * dice find nothing that can be done. */
bool lp_scene_edit(struct lp_scene *after, const struct lp_scene *scene, const struct lp_stickers *stickers,
                   struct lp_rng *rng, struct lp_str *instruction);

#endif
