/* SPDX-License-Identifier: MIT */
/* Skills played by dice: what a skill might give back, empty-handed, unready and failing ones included. */
#ifndef LP_DATA_RESULTS_H
#define LP_DATA_RESULTS_H

#include "data/dialogue.h"

extern const char *const lp_left_names[LP_LEFTS]; /* "text" .. */

/* The dict of the round's i-th call as the planner will see it; sets the call's outcome, the dialogue's handles and,
 * when something is amiss, its `what` and `tool`. Owned by caller; NULL when out of memory. */
json_t *lp_result_simulate(struct lp_dialogue *d, int i);

#endif
