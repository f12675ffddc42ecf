/* SPDX-License-Identifier: MIT */
/* Strokes of a brush as masks. */
#ifndef LP_IMAGE_STROKE_H
#define LP_IMAGE_STROKE_H

#include <stdbool.h>
#include <stdint.h>

/* Sets mask[height,width] to 1 where a round brush of that radius passes, in px, along the n >= 1 corners xy. At least the
 * pixels of the corners within the picture are set. */
void lp_stroke_fill(uint8_t *mask, int width, int height, const float (*xy)[2], int n, float radius);

/* The tight box around what is set, x0y0x1y1, 0..1; false where nothing is. */
bool lp_mask_box(const uint8_t *mask, int width, int height, float box[4]);

#endif
