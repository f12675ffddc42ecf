/* SPDX-License-Identifier: MIT */
/* The objects of a conversation: pictures, masks, boxes ... that users bring and skills leave. Each has a handle
 * ("mask_2") by which plans and answers name it. They are numbered upward by kind and never removed. */
#ifndef LP_SKILL_OBJECT_H
#define LP_SKILL_OBJECT_H

#include "base/error.h"
#include "base/str.h"

struct lp_image; /* image/image.h */

enum lp_object_kind {
    LP_OBJECT_IMAGE,
    LP_OBJECT_MASK,
    LP_OBJECT_BOX,
    LP_OBJECT_POINT, /* the user's */
    LP_OBJECT_MAP,   /* one class for each pixel */
    LP_OBJECT_TEXT,
    LP_OBJECT_COUNT,
    LP_OBJECT_KINDS
};

/* "img", "mask", "box", "point", "map", "text", "count"; static. */
const char *lp_object_kind_name(enum lp_object_kind kind);

struct lp_object {
    enum lp_object_kind kind;
    int number;      /* from 1, within its kind */
    char handle[24]; /* "box_3" */

    struct lp_image *picture; /* image: owned by the object */
    int width, height;        /* mask, map: its size in pixels */
    uint8_t *pixel;           /* mask: [height,width] of 0 and 1; map: [height,width] of classes */
    float box[4];             /* box: x0y0x1y1, 0..1 of its picture; point: x y in the first two */
    int on;                   /* box, mask, map, point: number of the image object that it lies on; 0: it is not known */
    float score;              /* 0..1; 1 for what users give */
    int count;                /* count */
    char *text;               /* text: the text; box, mask, count: its label or NULL. UTF-8 */
};

/* A conversation's objects, oldest first. Zero-initialised is a valid empty list. Objects do not move: pointers to
 * them are borrowed until lp_objects_done. For one thread at a time. */
struct lp_objects {
    struct lp_object **item;
    int n, capacity;
};

void lp_objects_done(struct lp_objects *objects);

/* Each adds one object under the next number of its kind, copies what it is given (but takes the picture, also on
 * failure) and returns it, borrowed; NULL when out of memory. Labels may be NULL. */
struct lp_object *lp_objects_add_image(struct lp_objects *o, struct lp_image *taken, struct lp_error *err);
struct lp_object *lp_objects_add_mask(struct lp_objects *o, int width, int height, const uint8_t *pixel,
                                      const char *label, float score, struct lp_error *err);
struct lp_object *lp_objects_add_map(struct lp_objects *o, int width, int height, const uint8_t *pixel,
                                     struct lp_error *err);
struct lp_object *lp_objects_add_box(struct lp_objects *o, const float box[4], const char *label, float score,
                                     struct lp_error *err);
struct lp_object *lp_objects_add_point(struct lp_objects *o, float x, float y, struct lp_error *err);
struct lp_object *lp_objects_add_text(struct lp_objects *o, const char *text, float score, struct lp_error *err);
struct lp_object *lp_objects_add_count(struct lp_objects *o, int count, const char *label, struct lp_error *err);

/* Moves all of `from` to the end of `to`, numbering them on; `from` is empty afterwards. On failure both are as
 * they were. */
bool lp_objects_move(struct lp_objects *to, struct lp_objects *from, struct lp_error *err);

/* Forgets all but the first n: for what a call that failed midway had added. */
void lp_objects_cut(struct lp_objects *o, int n);

/* Borrowed; NULL when there is none. */
struct lp_object *lp_objects_find(const struct lp_objects *o, const char *handle);
struct lp_object *lp_objects_newest(const struct lp_objects *o, enum lp_object_kind kind);
int lp_objects_count(const struct lp_objects *o, enum lp_object_kind kind); /* also the newest one's number */

/* "box_12" -> LP_OBJECT_BOX, 12. False when the text is no handle (numbers from 1 to 999999, no leading zero). */
bool lp_handle_parse(const char *text, enum lp_object_kind *kind, int *number);

/* Adds "text_1, box_1..box_4" for the objects first .. n-1, kinds in the order text, count, box, mask, map, img,
 * point; nothing when there are none. */
void lp_objects_format_handles(const struct lp_objects *o, int first, struct lp_str *out);

/* Adds `text` with every {handle} that names an object replaced by what the object holds: a text's text, a count's
 * number, a box's label and place ("dog at the top left") or else its numbers; {place_3} by the place of box_3. Other
 * kinds and unknown handles stay as the bare handle. */
void lp_objects_quote(const struct lp_objects *o, const char *text, struct lp_str *out);

#endif
