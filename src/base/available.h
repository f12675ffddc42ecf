/* SPDX-License-Identifier: MIT */
/* How much memory there is still to be had. */
#ifndef LP_BASE_AVAILABLE_H
#define LP_BASE_AVAILABLE_H

#include <stdint.h>

/* Bytes that this process could take without pushing anything but caches out: of the machine with its swap, and of the
 * control group that the process is in (a container's limit). INT64_MAX where the system does not tell. `root`: the folder in
 * which /proc and /sys are looked for, "" but in tests. */
int64_t lp_memory_available(const char *root);

#endif
