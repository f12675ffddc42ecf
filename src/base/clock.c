/* SPDX-License-Identifier: MIT */
/* base/clock.c - monotonic time. */
#include "base/clock.h"

#include <time.h>

double lp_clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}
