/* SPDX-License-Identifier: MIT */
/* skill/generate.c - a new picture from words (Stable Diffusion, Rombach et al. 2022, arXiv:2112.10752). */
#include "skill/table.h"

static const char *const aliases[] = {"sd", NULL};
static const struct lp_param params[] = {
    {.name = "prompt",
     .kind = LP_PARAM_TEXT,
     .required = true,
     .most = 1000,
     .about = "what the picture shall show"},
    {.name = NULL},
};

const struct lp_skill lp_skill_generate = {
    .name = "generate",
    .api_name = "stable-diffusion",
    .aliases = aliases,
    .about = "makes a new picture from words",
    .params = params,
    .leaves = LP_LEAVES_IMAGE,
    .lacks = "Stable Diffusion weights (a Hugging Face folder such as "
             "stable-diffusion-v1-5/stable-diffusion-v1-5)",
};
