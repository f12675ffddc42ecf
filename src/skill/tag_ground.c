/* SPDX-License-Identifier: MIT */
/* skill/tag_ground.c - the words that fit, and boxes of what they name (RAM, then Grounding DINO). */
#include "skill/table.h"

const struct lp_skill lp_skill_tag_ground = {
    .name = "tag_ground",
    .api_name = "ram+grounding_dino",
    .about = "lists what is in the picture and boxes each thing",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT | LP_LEAVES_BOX | LP_LEAVES_COUNT,
    .lacks = "RAM and Grounding DINO weights (ram_swin_large_14m.pth, converted, and a Hugging Face folder "
             "such as IDEA-Research/grounding-dino-tiny)",
};
