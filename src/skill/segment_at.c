/* SPDX-License-Identifier: MIT */
/* skill/segment_at.c - masks of what points or boxes show (SAM, Kirillov et al. 2023, arXiv:2304.02643). */
#include "skill/table.h"

static const struct lp_param params[] = {
    {.name = "points",
     .kind = LP_PARAM_POINTS,
     .one_of = true,
     .most = 64,
     .about = "[[x,y], ..] on the thing, 0..1 of the picture"},
    {.name = "boxes",
     .kind = LP_PARAM_BOXES,
     .one_of = true,
     .most = 64,
     .about = "[[x0,y0,x1,y1], ..] or box handles, one for each thing"},
    {.name = "point_labels",
     .kind = LP_PARAM_LABELS,
     .hidden = true,
     .most = 64,
     .about = "[1,0, ..]: 1 where a point is on the thing, 0 where it is not"},
    {.name = NULL},
};

const struct lp_skill lp_skill_segment_at = {
    .name = "segment_at",
    .api_name = "sam",
    .about = "masks what a point is on or a box surrounds",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_MASK,
    .lacks = "SAM weights (a Hugging Face folder such as facebook/sam-vit-base)",
};
