/* SPDX-License-Identifier: MIT */
#ifndef LP_PLAN_FOLDER_H
#define LP_PLAN_FOLDER_H

#include "base/error.h"

/* Where the planner's model is, into out[size]: `given`; else $LLAVA_PLUS_MODEL; else llava-plus-nano-v1 among the
 * models (base/models.h), which must be there (LP_EMISSING). */
bool lp_planner_folder(const char *given, char *out, size_t size, struct lp_error *err);

#endif
