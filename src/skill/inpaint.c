/* SPDX-License-Identifier: MIT */
/* skill/inpaint.c - the masked region painted anew (Stable Diffusion 2 inpainting). */
#include "skill/table.h"

static const struct lp_param params[] = {
    {.name = "prompt", .kind = LP_PARAM_TEXT, .required = true, .most = 1000, .about = "what shall be there"},
    {.name = "mask",
     .kind = LP_PARAM_HANDLE,
     .handle = LP_OBJECT_MASK,
     .required = true,
     .about = "the region to paint anew"},
    {.name = NULL},
};

const struct lp_skill lp_skill_inpaint = {
    .name = "inpaint",
    .api_name = "inpainting",
    .about = "paints the masked region of the picture anew",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_IMAGE,
    .lacks = "Stable Diffusion inpainting weights (a Hugging Face folder such as "
             "sd2-community/stable-diffusion-2-inpainting)",
};
