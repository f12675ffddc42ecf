/* SPDX-License-Identifier: MIT */
/* Records as pictures for people: scenes with their truth, dialogues beside their picture. */
#ifndef LP_DATA_SHOW_H
#define LP_DATA_SHOW_H

#include "base/json.h"
#include "data/truth.h"
#include "image/image.h"

/* Picture `number` (of truth->picture) of the folder: masks, boxes with names and colours, parts, lines of text, and its
 * captions below. Owned by caller. */
struct lp_image *lp_show_scene(const char *folder, const struct lp_truth *truth, int64_t number, struct lp_error *err);

/* A record (data/records.h) with its first picture, found in `folder`, and its turns; boxes that results tell are drawn.
 * folder NULL: without pictures. Owned by caller. */
struct lp_image *lp_show_record(const json_t *record, const char *folder, struct lp_error *err);

/* Pictures on one page, row after row. Borrows them; owned by caller. */
struct lp_image *lp_show_sheet(struct lp_image *const *picture, int n, int across, struct lp_error *err);

#endif
