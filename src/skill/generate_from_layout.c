/* SPDX-License-Identifier: MIT */
/* skill/generate_from_layout.c - a new picture in a given layout (ControlNet, Zhang et al. 2023,
 * arXiv:2302.05543). */
#include "skill/table.h"

static const struct lp_param params[] = {
    {.name = "prompt",
     .kind = LP_PARAM_TEXT,
     .required = true,
     .most = 1000,
     .about = "what the picture shall show"},
    {.name = "layout",
     .kind = LP_PARAM_HANDLE,
     .handle = LP_OBJECT_MAP,
     .required = true,
     .about = "the class map whose layout to keep"},
    {.name = NULL},
};

const struct lp_skill lp_skill_generate_from_layout = {
    .name = "generate_from_layout",
    .api_name = "controlnet",
    .about = "makes a new picture with the layout of a class map",
    .params = params,
    .leaves = LP_LEAVES_IMAGE,
    .lacks = "ControlNet weights (a Hugging Face folder such as lllyasviel/sd-controlnet-seg) and Stable "
             "Diffusion weights",
};
