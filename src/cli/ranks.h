/* SPDX-License-Identifier: MIT */
/* The ranks of a command that mpirun started. */
#ifndef LP_CLI_RANKS_H
#define LP_CLI_RANKS_H

#include "base/error.h"
#include "train/ranks.h"

/* Fills *ranks and points *out at it under mpirun; else *out is NULL. */
bool lp_ranks_find(struct lp_ranks *ranks, struct lp_ranks **out, struct lp_error *err);

#endif
