/* SPDX-License-Identifier: MIT */
/* A map of classes in colours with a legend. Only show.c includes it. */
#ifndef LP_DATA_SHOW_MAP_H
#define LP_DATA_SHOW_MAP_H

#include "base/json.h"
#include "data/truth.h"
#include "image/image.h"

/* folder/maps/<name of the picture>.png, where a pixel's value is its class; names from `classes` (semantic.json). *map is owned
 * by caller, NULL where the picture has no map. False on failure. */
bool lp_show_map(const char *folder, const json_t *classes, const struct lp_truth_picture *p, int side, struct lp_image **map,
                 struct lp_error *err);

#endif
