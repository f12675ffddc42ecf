/* SPDX-License-Identifier: MIT */
/* Print in scenes. */
#ifndef LP_DATA_SCENE_CARD_H
#define LP_DATA_SCENE_CARD_H

#include "data/scene.h"

/* Draws the card on rgb [side,side,3], marks its pixels and adds its lines to the view. LP_EINTERNAL when no text can be
 * drawn. */
bool lp_scene_card_draw(const struct lp_scene_card *card, struct lp_scene_view *view, float *rgb, struct lp_error *err);

/* Whether the fonts are there; LP_EMISSING names the package. */
bool lp_scene_fonts_ready(struct lp_error *err);

#endif
