/* SPDX-License-Identifier: MIT */
/* skill/tag.c - the words that fit the picture (RAM, Zhang et al. 2023, arXiv:2306.03514). */
#include "skill/table.h"

const struct lp_skill lp_skill_tag = {
    .name = "tag",
    .api_name = "ram",
    .about = "lists the things, scenes and actions in the picture",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT,
    .lacks = "RAM weights (ram_swin_large_14m.pth, converted)",
};
