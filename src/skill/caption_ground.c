/* SPDX-License-Identifier: MIT */
/* skill/caption_ground.c - a sentence, and boxes of what it names (BLIP-2, then Grounding DINO). */
#include "skill/table.h"

const struct lp_skill lp_skill_caption_ground = {
    .name = "caption_ground",
    .api_name = "blip2+grounding_dino",
    .about = "describes the picture in a sentence and boxes what it names",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT | LP_LEAVES_BOX | LP_LEAVES_COUNT,
    .lacks = "BLIP-2 and Grounding DINO weights (Hugging Face folders such as Salesforce/blip2-opt-2.7b and "
             "IDEA-Research/grounding-dino-tiny)",
};
