/* SPDX-License-Identifier: MIT */
/* One scene as files and as entries of the truth's lists. */
#ifndef LP_DATA_SCENE_PAGE_H
#define LP_DATA_SCENE_PAGE_H

#include "base/str.h"
#include "data/scene_write.h"

/* Classes of the semantic map: what backgrounds are made of, signs, and the kinds of things. */
struct lp_scene_classes {
    const char *name[256]; /* borrowed; class 0 is nothing */
    int count, things;     /* [1, things) is stuff, [things, count) things */
    uint8_t *sticker;      /* the class of each */
    uint8_t *ground;       /* [backdrops,2]: above and below the horizon */
    uint8_t sign;
};
bool lp_scene_classes_init(struct lp_scene_classes *classes, const struct lp_stickers *stickers, struct lp_error *err);
void lp_scene_classes_done(struct lp_scene_classes *classes);

/* What scenes add to each list: entries, each with a comma before it. */
enum { LP_LIST_IMAGES, LP_LIST_ANNOTATIONS, LP_LIST_CAPTIONS, LP_LIST_RELATIONS, LP_LIST_TEXTS, LP_LIST_EDITS, LP_LISTS };
struct lp_scene_page {
    struct lp_str list[LP_LISTS];
};
void lp_scene_page_done(struct lp_scene_page *page);

/* Draws the scene, writes its pictures and notes what they show. `pages` may be NULL. The page is the caller's, also after a failure. */
bool lp_scene_page_make(struct lp_scene_page *page, const struct lp_scenes_request *request, const struct lp_stickers *stickers,
                        const struct lp_scene_classes *classes, const struct lp_pages *pages, int64_t number, struct lp_error *err);

#endif
