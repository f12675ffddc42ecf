/* SPDX-License-Identifier: MIT */
/* skill/segment_instances.c - boxes and masks of what a caption names (Grounding DINO, then SAM). */
#include "skill/table.h"

static const char *const aliases[] = {"grounded_sam", NULL};
static const struct lp_param params[] = {
    {.name = "caption",
     .kind = LP_PARAM_TEXT,
     .required = true,
     .most = 1000,
     .about = "what to look for: phrases joined by \" . \""},
    {.name = NULL},
};

const struct lp_skill lp_skill_segment_instances = {
    .name = "segment_instances",
    .api_name = "grounding_dino+sam",
    .aliases = aliases,
    .about = "finds what a caption names; a box and a mask for each one",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_BOX | LP_LEAVES_MASK | LP_LEAVES_COUNT,
    .lacks = "Grounding DINO and SAM weights (Hugging Face folders such as IDEA-Research/grounding-dino-tiny "
             "and facebook/sam-vit-base)",
};
