/* SPDX-License-Identifier: MIT */
#ifndef LP_BASE_CLOCK_H
#define LP_BASE_CLOCK_H

double lp_clock_ms(void); /* monotonic, milliseconds */

#endif
