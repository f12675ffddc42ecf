/* SPDX-License-Identifier: MIT */
/* Whether a LLaVA's weights find room in memory and, where not, which would. */
#ifndef LP_MODEL_LLAVA_ROOM_H
#define LP_MODEL_LLAVA_ROOM_H

#include "model/llava_model.h"

/* What opening the model copies into memory, bytes: blocks of a GGUF file that has no packed file are laid out anew, and
 * float16 where that is to be packed. What is mapped from its file is not counted, since the system may push it out. */
int64_t lp_llava_copied_bytes(const struct lp_llava *model);

/* The sentence for weights of `path` that do not go into `available` bytes: what they take, and the types that
 * `model quantize` writes that would fit, or that none does. LP_EMEMORY; returns false. */
bool lp_llava_no_room(const struct lp_llava *model, const char *path, int64_t available, struct lp_error *err);

#endif
