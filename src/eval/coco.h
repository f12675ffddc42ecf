/* SPDX-License-Identifier: MIT */
/* What was found in pictures beside what is there, by COCO's rules: pycocotools' COCOeval for boxes and
 * masks.
 *
 *     struct lp_coco set = {.masks = true};
 *     lp_coco_read_truth(&set, "instances.json", &err)        categories, pictures and what they show
 *     lp_coco_read_results(&set, "results.json", &err)        or lp_coco_add_found for what a skill finds
 *     lp_coco_score(&set, &settings, &score, &err)
 *
 * Coordinates are pixels of the picture; a box is x, y of its upper left corner, width, height. */
#ifndef LP_EVAL_COCO_H
#define LP_EVAL_COCO_H

#include "base/arena.h"
#include "image/rle.h"

struct lp_coco_category {
    int64_t id;
    const char *name; /* lives as long as the set */
};

struct lp_coco_picture {
    int64_t id;
    int width, height; /* px; 0: not told, so that it can have no masks */
    const char *file;  /* its name, or NULL; lives as long as the set */
};

/* Something that is in a picture (an annotation) or was found there. */
struct lp_coco_thing {
    int picture, category; /* places in the set's lists */
    int64_t id;            /* an annotation's, from the file */
    bool crowd;    /* an annotation of many things at once: nothing is wrong inside, nothing need be found */
    double score;  /* of what was found; the higher the surer */
    double area;   /* px, which decides whether it is small, medium or large */
    double box[4]; /* x y width height; around the mask where the set has masks */
    struct lp_rle mask; /* of the picture's size; empty in a set of boxes */
};

struct lp_coco_list {
    struct lp_coco_thing *thing;
    size_t n, room;
};

/* Zero-initialised but for `masks` is an empty set. */
struct lp_coco {
    bool masks;                        /* compare masks; else boxes */
    struct lp_coco_category *category; /* by ascending id, as the pictures */
    int categories;
    struct lp_coco_picture *picture;
    int pictures;
    struct lp_arena names;
    struct lp_coco_list truth,
        found; /* in the order in which they were added: of equal scores the first counts as higher */
};

void lp_coco_done(struct lp_coco *set);

/* The place of an id, or -1. */
int lp_coco_find_category(const struct lp_coco *set, int64_t id);
int lp_coco_find_picture(const struct lp_coco *set, int64_t id);

/* Adds a thing. Its mask is taken, whether that succeeds or not; *thing's is empty after. In a set with masks
 * the box is made from the mask. An area below 0 becomes that of the mask or box. LP_EINPUT for numbers that
 * are none, a width or height below 0, a mask that is not of the picture's size. */
bool lp_coco_add_truth(struct lp_coco *set, struct lp_coco_thing *thing, struct lp_error *err);
bool lp_coco_add_found(struct lp_coco *set, struct lp_coco_thing *thing, struct lp_error *err);

/* The share of the union that is common, 0..1; for a crowd the share of what was found that lies in it. */
double lp_coco_iou(const struct lp_coco *set, const struct lp_coco_thing *found,
                   const struct lp_coco_thing *truth);

#endif
