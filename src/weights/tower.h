/* SPDX-License-Identifier: MIT */
/* tower.h - finding the picture encoder that the original LLaVA names in its config.json without bringing it. */
#ifndef LP_WEIGHTS_TOWER_H
#define LP_WEIGHTS_TOWER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The folder of `name` ("openai/clip-vit-large-patch14-336") for the model in `folder`, into out[size]: its last part within
 * that folder or beside it, else what huggingface_hub keeps of it ($HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub).
 * LP_EMISSING where there is none. */
bool lp_tower_find(char *out, size_t size, const char *folder, const char *name, struct lp_error *err);

#endif
