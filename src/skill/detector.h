/* SPDX-License-Identifier: MIT */
/* Boxes around what a call's caption names: Grounding DINO behind the skills that leave boxes. */
#ifndef LP_SKILL_DETECTOR_H
#define LP_SKILL_DETECTOR_H

#include "model/grounding_dino.h"
#include "skill/skill.h"

/* For a skill's `missing`, `open` and `close`. */
const char *lp_detector_missing(void);
void *lp_detector_open(struct lp_error *err);
void lp_detector_close(void *detector);

/* Boxes lie within the call's picture, phrases have no spaces around them. Owned by caller
 * (lp_detections_close); NULL on failure. */
struct lp_detections *lp_detector_find(void *detector, const struct lp_call *call, struct lp_error *err);

/* Adds a box object for each and their count; puts into the result "boxes" (0..1), "logits" and "phrases" of
 * the surest, and into the report "boxes" (x0y0x1y1 px), "phrases" and "scores" of all. */
bool lp_detector_give(struct lp_call *call, const struct lp_detections *found, struct lp_error *err);

#endif
