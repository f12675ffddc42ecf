/* SPDX-License-Identifier: MIT */
/* peak_amx.c - the peak of TDPBF16PS: 16 x 16 sums of 16 pairs each. */
#include "kernel/peak.h"
#include "kernel/x86/amx.h"

double lp_amx_peak_bf16(int64_t rounds) {
    amx_begin();
    amx_zero_sums();
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (int64_t r = 0; r < rounds; r++)
        amx_multiply_loaded();
    return (double)rounds * 4 * AMX_ROWS * AMX_ROWS * 2 * AMX_ROWS * 2;
}
