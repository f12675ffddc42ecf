/* SPDX-License-Identifier: MIT */
/* skill/caption.c - a sentence about the picture (BLIP-2, Li et al. 2023, arXiv:2301.12597). */
#include "skill/table.h"

const struct lp_skill lp_skill_caption = {
    .name = "caption",
    .api_name = "blip2",
    .about = "describes the picture in a sentence",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT,
    .lacks = "BLIP-2 weights (a Hugging Face folder such as Salesforce/blip2-opt-2.7b)",
};
