/* SPDX-License-Identifier: MIT */
/* skill/edit.c - the picture changed as an instruction says (InstructPix2Pix, Brooks et al. 2023,
 * arXiv:2211.09800). */
#include "skill/table.h"

static const char *const aliases[] = {"ip2p", NULL};
static const struct lp_param params[] = {
    {.name = "prompt", .kind = LP_PARAM_TEXT, .required = true, .most = 1000, .about = "what to change"},
    {.name = NULL},
};

const struct lp_skill lp_skill_edit = {
    .name = "edit",
    .api_name = "instruct-pix2pix",
    .aliases = aliases,
    .about = "changes the picture as an instruction says",
    .params = params,
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_IMAGE,
    .lacks = "InstructPix2Pix weights (a Hugging Face folder such as timbrooks/instruct-pix2pix)",
};
