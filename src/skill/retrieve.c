/* SPDX-License-Identifier: MIT */
/* skill/retrieve.c - captions of similar pictures (CLIP, Radford et al. 2021, arXiv:2103.00020). */
#include "skill/table.h"

static const char *const aliases[] = {"retrieval", NULL};

const struct lp_skill lp_skill_retrieve = {
    .name = "retrieve",
    .api_name = "clip",
    .aliases = aliases,
    .about = "finds captions of similar pictures, most similar first",
    .needs = LP_NEEDS_PICTURE,
    .leaves = LP_LEAVES_TEXT,
    .lacks = "CLIP weights (a Hugging Face folder such as openai/clip-vit-large-patch14) and a collection to "
             "search",
};
