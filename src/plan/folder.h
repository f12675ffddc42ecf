/* SPDX-License-Identifier: MIT */
#ifndef LP_PLAN_FOLDER_H
#define LP_PLAN_FOLDER_H

#include "base/error.h"

/* Where the planner's model is, into out[size]: `given`; else $LLAVA_PLUS_MODEL; else models/llava-plus-nano
 * in
 * ../share/llava-plus beside the program; else in the source tree it was built from. The last two must exist
 * (LP_EMISSING). */
bool lp_planner_folder(const char *given, char *out, size_t size, struct lp_error *err);

#endif
