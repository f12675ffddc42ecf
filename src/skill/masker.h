/* SPDX-License-Identifier: MIT */
/* Masks of what a call's prompts show: SAM behind the skills that leave masks. It remembers what it has seen
 * of the last few pictures. */
#ifndef LP_SKILL_MASKER_H
#define LP_SKILL_MASKER_H

#include "model/sam.h"
#include "skill/skill.h"

/* For a skill's `missing`, `open` and `close`. */
const char *lp_masker_missing(void);
void *lp_masker_open(struct lp_error *err);
void lp_masker_close(void *masker);

/* Adds a mask object for each prompt, with its label (labels NULL: none), and lists them in the report:
 * "masks":
 * [{"score", "box": x0y0x1y1 px around it, null where it is empty, "area": px, "segmentation": COCO's RLE}].
 */
bool lp_masker_run(void *masker, struct lp_call *call, const struct lp_sam_prompt *prompt, int64_t prompts,
                   const char *const *labels, struct lp_error *err);

#endif
