/* SPDX-License-Identifier: MIT */
/* resize.h - Pillow's resize, bit for bit: two passes of 8-bit results, antialiased when shrinking. */
#ifndef LP_IMAGE_RESIZE_H
#define LP_IMAGE_RESIZE_H

#include "image/image.h"

enum lp_filter { LP_BILINEAR, LP_BICUBIC, LP_LANCZOS };

/* A new picture of width x height, owned by caller; NULL on failure (LP_EMEMORY; LP_EUSAGE for a size out of the
 * limits of image.h). */
struct lp_image *lp_resize(const struct lp_image *image, int width, int height, enum lp_filter filter,
                           struct lp_error *err);

#endif
