/* SPDX-License-Identifier: MIT */
/* What a picture needs before Tesseract reads it well: a size, straight lines and an even background. */
#ifndef LP_SKILL_OCR_PREPARE_H
#define LP_SKILL_OCR_PREPARE_H

#include "base/error.h"

struct lp_image; /* image/image.h */

/* Three grey pictures [height,width] of the same scene. Zero-initialised is valid and empty. */
struct lp_ocr_views {
    int width, height;
    uint8_t *grey;  /* the picture itself */
    uint8_t *light; /* what is lighter than its surroundings, as dark writing on white */
    uint8_t *dark;  /* what is darker than its surroundings, as dark writing on white */
    int picture_width, picture_height;
    float scale; /* picture px * scale = view px */
    float angle; /* the views are turned by this clockwise, degrees */
};

/* Fails only without memory. */
bool lp_ocr_prepare(struct lp_ocr_views *views, const struct lp_image *picture, struct lp_error *err);
void lp_ocr_views_done(struct lp_ocr_views *views);

/* Makes a box x0y0x1y1 in px of the views one in px of the picture, around the turned box and inside the picture. */
void lp_ocr_views_box(const struct lp_ocr_views *views, float box[4]);

#endif
