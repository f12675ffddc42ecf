/* SPDX-License-Identifier: MIT */
/* model/sam_picture.c - pictures into SAM's square and masks out of it, as
 * segment_anything/utils/transforms.py and predictor.py, and transformers'
 * models/sam/image_processing_sam.py. picture --long side to S, Pillow's bilinear--> normalised --zeros to
 * the right and below--> [3,S,S] logits [4*side,4*side] --bilinear--> [S,S], the picture's part of it
 * --bilinear--> [height,width] --above 0--> mask The zeros come after normalising: what lies beside the
 * picture is the mean colour, not black. */
#include "model/sam_model.h"

#include "kernel/kernel.h"

#include <string.h>

void lp_sam_fit(const struct lp_sam *m, int width, int height, int *scaled_width, int *scaled_height) {
    double scale = (double)m->config.image_px / (width > height ? width : height);
    *scaled_width = (int)(width * scale + 0.5);
    *scaled_height = (int)(height * scale + 0.5);
}

/* [3,S,S] = a picture of w x h in the corner, zeros elsewhere. */
static void set_beside_to_zero(float *pixels, int S, int w, int h) {
    for (int64_t row = 0; row < 3 * (int64_t)S; row++) {
        int64_t from = row % S < h ? w : 0;
        memset(pixels + row * S + from, 0, sizeof(float) * (size_t)(S - from));
    }
}

bool lp_sam_prepare(const struct lp_sam *m, const struct lp_image *image, float *pixels,
                    struct lp_error *err) {
    int S = (int)m->config.image_px, w, h;
    lp_sam_fit(m, image->width, image->height, &w, &h);
    if (w < 1 || h < 1)
        return lp_error_set(err, LP_EINPUT,
                            "a picture of %d x %d px is too long and thin to be seen at %d px", image->width,
                            image->height, S);
    struct lp_image *small = lp_resize(image, w, h, LP_BILINEAR, err);
    struct lp_image *square = small ? lp_image_new(S, S, err) : NULL;
    if (square) {
        for (int row = 0; row < h; row++)
            memcpy(square->pixel + (size_t)row * (size_t)S * 3, small->pixel + (size_t)row * (size_t)w * 3,
                   (size_t)w * 3);
        lp_preprocess_numbers(&m->preprocess, square->pixel, pixels);
        set_beside_to_zero(pixels, S, w, h);
    }
    lp_image_close(small);
    lp_image_close(square);
    return square != NULL;
}

void lp_sam_finish(lp_run *r, const struct lp_sam *m, const struct lp_sam_embedding *e, const float *logits,
                   uint8_t *pixel) {
    int64_t S = m->config.image_px, side = 4 * lp_sam_side(&m->config);
    lp_mark mark = lp_here(r);
    float *square = lp_enter(r, "mask") ? lp_run_alloc(r, sizeof(float) * (size_t)(S * S)) : NULL;
    if (!square)
        return;
    struct lp_resize_shape up = {.n = 1, .h = side, .w = side, .x_row = side, .x_map = side * side, .H = S, .W = S};
    r->k->resize_bilinear(square, logits, &up);
    struct lp_resize_shape back = {.n = 1, .h = e->scaled_height, .w = e->scaled_width, .x_row = S, .x_map = S * S,
                                   .H = e->height, .W = e->width};
    r->k->positive_bilinear(pixel, square, &back);
    lp_back_to(r, mark);
}
