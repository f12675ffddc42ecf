/* SPDX-License-Identifier: MIT */
/* skill/segment_semantic.c - a class for every pixel (OpenSeeD, Zhang et al. 2023, arXiv:2303.08131). */
#include "skill/table.h"

const struct lp_skill lp_skill_segment_semantic = {
    .name = "segment_semantic",
    .api_name = "openseed",
    .about = "gives every pixel a class: the layout of the scene",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_MAP,
    .lacks = "OpenSeeD weights (openseed_ade20k_swinl.pt, converted)",
};
