/* SPDX-License-Identifier: MIT */
/* A folder of scenes in COCO's formats (docs/scenes.md), as data/truth.h reads it. */
#ifndef LP_DATA_SCENE_WRITE_H
#define LP_DATA_SCENE_WRITE_H

#include "data/scene.h"

struct lp_scenes_request {
    const char *folder;  /* made if need be */
    const char *stickers; /* the folder with stickers.txt, signs.txt and pages.txt */
    uint64_t seed;
    int64_t count;
    int side;             /* px */
    int pages;            /* percent of the scenes that are a printed page instead */
    void (*progress)(void *context, int64_t done, int64_t count); /* or NULL */
    void *context;
};

/* Same seed, same bytes, whatever the number of threads. */
bool lp_scenes_write(const struct lp_scenes_request *request, struct lp_error *err);

#endif
