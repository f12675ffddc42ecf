/* SPDX-License-Identifier: MIT */
/* amx.h - the tile registers of AMX as the kernels use them: 0 to 3 hold 2 x 2 blocks of 16 x 16 sums, 4 and
 * 5 rows of the left factor, 6 and 7 of the right one. Needs the flags of AMX-TILE and AMX-BF16. */
#ifndef LP_KERNEL_X86_AMX_H
#define LP_KERNEL_X86_AMX_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#define AMX_INLINE static inline __attribute__((always_inline))

enum { AMX_ROWS = 16 }; /* of a register; each is 64 bytes */

/* Every thread, and every child of a fork, sets its registers up before it uses them. */
AMX_INLINE void amx_begin(void) {
    static const struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1,
               .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
               .rows = {AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS, AMX_ROWS}};
    _tile_loadconfig(&shape);
}

AMX_INLINE void amx_zero_sums(void) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

/* What one step of the sums is. */
AMX_INLINE void amx_multiply_loaded(void) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* sums += rows a and b of 16 pairs, x_row floats apart, times 16 rows of pairs c and d, w_row apart. */
AMX_INLINE void amx_multiply_four(const float *a, const float *b, int64_t x_row, const float *c,
                                  const float *d, int64_t w_row) {
    _tile_loadd(6, c, 4 * w_row);
    _tile_loadd(4, a, 4 * x_row);
    _tile_loadd(7, d, 4 * w_row);
    _tile_loadd(5, b, 4 * x_row);
    amx_multiply_loaded();
}

/* The same without b. */
AMX_INLINE void amx_multiply_two(const float *a, int64_t x_row, const float *c, const float *d,
                                 int64_t w_row) {
    _tile_loadd(4, a, 4 * x_row);
    _tile_loadd(6, c, 4 * w_row);
    _tile_loadd(7, d, 4 * w_row);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
}

/* The sums of amx_store_sums. */
AMX_INLINE void amx_load_sums(const float *y, int64_t y_row, bool both) {
    _tile_loadd(0, y, 4 * y_row);
    _tile_loadd(1, y + AMX_ROWS, 4 * y_row);
    if (both) {
        _tile_loadd(2, y + AMX_ROWS * y_row, 4 * y_row);
        _tile_loadd(3, y + AMX_ROWS * y_row + AMX_ROWS, 4 * y_row);
    }
}

/* y[16 or 32][32], rows y_row floats apart. */
AMX_INLINE void amx_store_sums(float *y, int64_t y_row, bool both) {
    _tile_stored(0, y, 4 * y_row);
    _tile_stored(1, y + AMX_ROWS, 4 * y_row);
    if (both) {
        _tile_stored(2, y + AMX_ROWS * y_row, 4 * y_row);
        _tile_stored(3, y + AMX_ROWS * y_row + AMX_ROWS, 4 * y_row);
    }
}

#endif
