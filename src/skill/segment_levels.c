/* SPDX-License-Identifier: MIT */
/* skill/segment_levels.c - masks from part to whole at a point (Semantic-SAM, Li et al. 2023,
 * arXiv:2307.04767). */
#include "skill/table.h"

static const char *const aliases[] = {"semantic_sam", NULL};
static const struct lp_param params[] = {
    {.name = "points",
     .alias = "point",
     .kind = LP_PARAM_POINTS,
     .required = true,
     .most = 64,
     .about = "[[x,y], ..] on the thing, 0..1 of the picture"},
    {.name = NULL},
};

const struct lp_skill lp_skill_segment_levels = {
    .name = "segment_levels",
    .api_name = "semantic-sam",
    .aliases = aliases,
    .about = "masks what a point is on at every level, from part to whole",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_MASK,
    .lacks = "Semantic-SAM weights (swint_only_sam_many2many.pth, converted)",
};
