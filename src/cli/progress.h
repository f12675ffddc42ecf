/* SPDX-License-Identifier: MIT */
/* A line of progress on a terminal. */
#ifndef LP_CLI_PROGRESS_H
#define LP_CLI_PROGRESS_H

#include <stdint.h>

/* "12 of 60 lines" on standard error where that is a terminal, at most five times a second and at the end. *told_ms: when
 * it was last shown; 0 at first. */
void lp_progress_show(int64_t done, int64_t count, const char *what, double *told_ms);

#endif
