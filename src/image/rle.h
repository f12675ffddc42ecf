/* SPDX-License-Identifier: MIT */
/* rle.h - masks as COCO's compressed run lengths: column-major, alternating outside/inside, each written as
 * the difference to the run before the last, in 6-bit characters '0'..'o'. */
#ifndef LP_IMAGE_RLE_H
#define LP_IMAGE_RLE_H

#include "base/error.h"

/* mask[height,width], row-major, non-zero is inside -> the "counts" text. Owned by caller (lp_free); NULL on
 * failure. */
char *lp_rle_encode(const uint8_t *mask, int width, int height, struct lp_error *err);

/* The n characters of `counts` -> mask[height,width] of 0 and 1, the caller's. LP_EINPUT when they are
 * malformed or do not cover the mask exactly. */
bool lp_rle_decode(uint8_t *mask, int width, int height, const char *counts, size_t n, struct lp_error *err);

/* The same without the mask; *area is the number of pixels inside. */
bool lp_rle_check(const char *counts, size_t n, int width, int height, int64_t *area, struct lp_error *err);

#endif
