/* SPDX-License-Identifier: MIT */
/* preprocess.h - a picture [height,width,3] in, a network's input [3,crop,crop] out, as Hugging Face's
 * CLIPImageProcessor makes it, and LLaVA's padding to a square before it. */
#ifndef LP_IMAGE_PREPROCESS_H
#define LP_IMAGE_PREPROCESS_H

#include "image/image.h"
#include "image/resize.h"

#include <jansson.h>

/* How a picture that is not square fits. */
enum lp_aspect {
    LP_ASPECT_CROP,  /* short side to `size`, then the centre [crop,crop] */
    LP_ASPECT_PAD,   /* centred on a square of colour int(mean * 255), then as above */
    LP_ASPECT_SQUASH /* to [size,size] whatever its shape */
};

struct lp_preprocess {
    int size, crop; /* px */
    enum lp_aspect aspect;
    enum lp_filter filter;
    double rescale;         /* 1/255 */
    double mean[3], std[3]; /* RGB, of 0..1 */
};

void lp_preprocess_defaults(
    struct lp_preprocess *p); /* CLIP's: 224, crop, bicubic, 1/255, CLIP mean and std */

/* Reads a preprocessor_config.json object over the defaults: size (a number, {shortest_edge} or {height,
 * width}), crop_size, do_resize, do_center_crop, resample, rescale_factor, image_mean, image_std. What cannot
 * be followed exactly is LP_EINPUT. config NULL: the defaults. */
bool lp_preprocess_read(struct lp_preprocess *p, const json_t *config, struct lp_error *err);

/* LLaVA's config.json "image_aspect_ratio": NULL or "square" keeps p->aspect, "pad" pads; another is
 * LP_EINPUT. */
bool lp_preprocess_set_aspect(struct lp_preprocess *p, const char *name, struct lp_error *err);

/* Fills out[3,crop,crop]. */
bool lp_preprocess_run(const struct lp_preprocess *p, const struct lp_image *image, float *out,
                       struct lp_error *err);

/* The same in two halves, for who keeps the small picture [crop,crop,3]. */
struct lp_image *lp_preprocess_pixels(const struct lp_preprocess *p, const struct lp_image *image,
                                      struct lp_error *err);
void lp_preprocess_numbers(const struct lp_preprocess *p, const uint8_t *pixel, float *out);
/* The second half for n pixels [n,3] in any shape -> out[3,n]. */
void lp_preprocess_normalize(const struct lp_preprocess *p, const uint8_t *pixel, size_t n, float *out);

#endif
