/* SPDX-License-Identifier: MIT */
/* Where models are that nobody named: the planner that the program comes with, the networks behind skills. */
#ifndef LP_BASE_MODELS_H
#define LP_BASE_MODELS_H

#include <limits.h>
#include <stdbool.h>

/* The first of `names` (ended by NULL) that is there, into out: in $LLAVA_PLUS_MODELS where that is set, in
 * ../share/llava-plus/models seen from the program, in models/ of the source tree it was built from. False:
 * nowhere. */
bool lp_models_find(const char *const *names, char out[PATH_MAX]);

/* The second of these folders; "" when it cannot be told. */
void lp_models_beside_program(char out[PATH_MAX]);

#endif
