/* SPDX-License-Identifier: MIT */
/* Records as pictures for people: scenes with their truth, dialogues beside their picture. */
#ifndef LP_DATA_SHOW_H
#define LP_DATA_SHOW_H

#include "base/json.h"
#include "data/truth.h"
#include "image/image.h"

/* A folder of scenes with all that can be shown of it. */
struct lp_show {
    const char *folder;     /* borrowed */
    struct lp_truth *truth;
    json_t *classes, *edits; /* semantic.json, edits.json; NULL where there are none */
};
bool lp_show_open(struct lp_show *s, const char *folder, struct lp_error *err);
void lp_show_done(struct lp_show *s);

/* Picture `number` (of truth->picture) for a sheet: outlines, boxes with colours and names, print, and a caption below. Owned
 * by caller, as all pictures here; NULL on failure. */
struct lp_image *lp_show_card(const struct lp_show *s, int64_t number, struct lp_error *err);

/* The same with everything that is known, on a page of its own: boxes; masks with parts; the map of classes; the picture
 * after its edit; captions, print and relations in words. */
struct lp_image *lp_show_scene(const struct lp_show *s, int64_t number, struct lp_error *err);

/* A record (data/records.h) with its pictures, found in `folder`, and its turns; boxes and points that users give and results
 * tell are drawn into the picture that was shown last. folder NULL: without pictures. */
struct lp_image *lp_show_record(const json_t *record, const char *folder, struct lp_error *err);

/* Pictures on one page, row after row. Borrows them. */
struct lp_image *lp_show_sheet(struct lp_image *const *picture, int n, int across, struct lp_error *err);

/* Opens folder/file so that its longer side is `side` px; *scale is how much larger it became. */
struct lp_image *lp_show_picture(const char *folder, const char *file, int side, float *scale, struct lp_error *err);

#endif
