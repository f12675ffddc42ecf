/* SPDX-License-Identifier: MIT */
/* cli/progress.c - see progress.h. */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

void lp_progress_show(int64_t done, int64_t count, const char *what, double *told_ms) {
    double now = lp_clock_ms();
    if (!isatty(STDERR_FILENO) || (now - *told_ms < 200 && done < count))
        return;
    *told_ms = now;
    fprintf(stderr, "\r%ld of %ld %s%s", (long)done, (long)count, what, done == count ? "\n" : "");
}
