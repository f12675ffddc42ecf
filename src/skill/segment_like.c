/* SPDX-License-Identifier: MIT */
/* skill/segment_like.c - masks of what resembles a reference (SEEM, Zou et al. 2023, arXiv:2304.06718). */
#include "skill/table.h"

const struct lp_skill lp_skill_segment_like = {
    .name = "segment_like",
    .api_name = "seem",
    .about = "masks what looks like the marked region of a reference picture",
    .needs = LP_NEEDS_PICTURE | LP_NEEDS_REFERENCE,
    .leaves = LP_LEAVES_MASK,
    .lacks = "SEEM weights (seem_focalt_v0.pt, converted)",
};
