/* SPDX-License-Identifier: MIT */
/* The picture encoder's file that goes with a GGUF language model. */
#ifndef LP_WEIGHTS_MMPROJ_H
#define LP_WEIGHTS_MMPROJ_H

#include "base/error.h"

/* Into out[size] the path of the file beside `model`: "mmproj-" before the model's own name, else the one
 * GGUF file that has "mmproj" in its name, in letters of either case. LP_EMISSING where there is none,
 * LP_EUSAGE that names two where there are several, LP_EIO. */
bool lp_mmproj_find(char *out, size_t size, const char *model, struct lp_error *err);

/* The path that lp_mmproj_find looks for first. */
bool lp_mmproj_path(char *out, size_t size, const char *model, struct lp_error *err);

#endif
