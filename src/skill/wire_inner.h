/* SPDX-License-Identifier: MIT */
/* Pixels in JSON, for the wire*.c. */
#ifndef LP_SKILL_WIRE_INNER_H
#define LP_SKILL_WIRE_INNER_H

#include "image/image.h"
#include "skill/wire.h"

/* Each returns what the caller owns; NULL on failure. `name` is the key, for errors. */
json_t *lp_wire_picture(const struct lp_image *image, const char *kind, struct lp_error *err); /* base64; "a.png", "a.jpg" */
struct lp_image *lp_wire_read_picture(const json_t *value, const char *name, struct lp_error *err);

/* Masks as COCO's run lengths: {"size": [h,w], "counts": text}. */
json_t *lp_wire_mask(const struct lp_object *mask, struct lp_error *err);
/* Adds the mask to the objects, at width x height px where it comes in another size; 0: as it comes. */
bool lp_wire_read_mask(struct lp_objects *to, const json_t *value, int width, int height, const char *label,
                       struct lp_error *err);

/* Maps as pictures in ADE20K's colours, one a class; back, each pixel is of the class with the nearest colour: JPEG has
 * made it another. */
json_t *lp_wire_map(const struct lp_object *map, struct lp_error *err);
bool lp_wire_read_map(struct lp_objects *to, const json_t *value, const char *name, struct lp_error *err);

/* The skill that "openseed" and "controlnet" share a worker with, or NULL. */
const struct lp_skill *lp_wire_partner(const struct lp_skill *skill);

#endif
