/* SPDX-License-Identifier: MIT */
#ifndef LP_BASE_CHECKSUM_H
#define LP_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* 64 bits that tell damage, not malice: no change within one aligned word of 8 bytes goes unseen. Takes a
 * few bytes a clock. `before`: the checksum of what comes before, or 0. */
uint64_t lp_checksum(uint64_t before, const void *data, size_t bytes);

#endif
