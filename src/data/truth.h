/* SPDX-License-Identifier: MIT */
/* What pictures show, read from a folder in COCO's formats: instances.json, and where they exist captions.json,
 * texts.json and relations.json (docs/scenes.md). Written by `data scenes`; COCO's own files read as well. */
#ifndef LP_DATA_TRUTH_H
#define LP_DATA_TRUTH_H

#include "base/error.h"

struct lp_truth_category {
    const char *name, *plural, *supercategory; /* "dog", "dogs", "animal" */
    const char *const *synonym;       /* ended by NULL */
};

struct lp_truth_object {
    int category;      /* index into lp_truth.category */
    int64_t id;        /* the annotation's */
    const char *color; /* "red", or NULL where it has no single one */
    const char *size;  /* "small", "medium", "large", or NULL */
    float box[4];      /* x0 y0 x1 y1, px of the picture */
    float area;        /* px, visible */
    const char *rle;   /* COCO's compressed counts of the visible mask [height,width], or NULL */
    int depth;         /* 0: farthest */
    int part_of;       /* index of the whole in the picture's objects, or -1 */
};

struct lp_truth_text {
    const char *text;
    float box[4]; /* as above */
};

struct lp_truth_relation {
    int subject, object; /* indices into the picture's objects */
    const char *predicate; /* "left of", "on", "behind", ... */
};

/* Objects without parts come first: [0, wholes) are whole things, [wholes, objects) parts. */
struct lp_truth_picture {
    int64_t id;
    const char *file;       /* relative to the folder */
    const char *background; /* "beach", or NULL */
    int width, height;
    struct lp_truth_object *object;
    int wholes, objects;
    struct lp_truth_text *text;
    int texts;
    struct lp_truth_relation *relation;
    int relations;
    const char **caption;
    int captions;
};

struct lp_truth {
    struct lp_truth_category *category;
    int categories;
    struct lp_truth_picture *picture; /* in the order of instances.json */
    int64_t pictures;
};

/* Everything in one heap object, owned by the caller (lp_truth_close). NULL on failure: a missing or unreadable
 * instances.json is LP_EIO, what contradicts itself (unknown ids, boxes outside, bad RLE) LP_EINPUT with file and id. */
struct lp_truth *lp_truth_open(const char *folder, struct lp_error *err);
void lp_truth_close(struct lp_truth *truth);

/* How many whole objects of the category a picture shows. */
int lp_truth_count(const struct lp_truth_picture *picture, int category);

/* Whether it shows any, parts as well: a house shows a door. */
bool lp_truth_shows(const struct lp_truth_picture *picture, int category);

#endif
