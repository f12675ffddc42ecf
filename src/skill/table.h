/* SPDX-License-Identifier: MIT */
/* The skills, each declared in the file of its name. */
#ifndef LP_SKILL_TABLE_H
#define LP_SKILL_TABLE_H

#include "skill/skill.h"

extern const struct lp_skill lp_skill_detect;
extern const struct lp_skill lp_skill_segment_instances;
extern const struct lp_skill lp_skill_segment_semantic;
extern const struct lp_skill lp_skill_segment_at;
extern const struct lp_skill lp_skill_segment_levels;
extern const struct lp_skill lp_skill_segment_like;
extern const struct lp_skill lp_skill_caption;
extern const struct lp_skill lp_skill_tag;
extern const struct lp_skill lp_skill_caption_ground;
extern const struct lp_skill lp_skill_tag_ground;
extern const struct lp_skill lp_skill_ocr;
extern const struct lp_skill lp_skill_retrieve;
extern const struct lp_skill lp_skill_generate;
extern const struct lp_skill lp_skill_edit;
extern const struct lp_skill lp_skill_inpaint;
extern const struct lp_skill lp_skill_generate_from_layout;

#endif
