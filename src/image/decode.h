/* SPDX-License-Identifier: MIT */
/* Where pictures are decoded. */
#ifndef LP_IMAGE_DECODE_H
#define LP_IMAGE_DECODE_H

#include "image/image.h"

#include <stdbool.h>

/* Decodes in this process. `alpha`: only how opaque it is, three times; see lp_image_decode_alpha. */
struct lp_image *lp_image_decode_here(const void *bytes, size_t n, bool alpha, const char *name, struct lp_error *err);

/* Who does the same for lp_image_decode and lp_image_decode_alpha from now on; NULL: this process. To be said while nothing is
 * decoded. */
typedef struct lp_image *lp_image_decoder(void *context, const void *bytes, size_t n, bool alpha, const char *name,
                                          struct lp_error *err);
void lp_image_decode_by(lp_image_decoder *decoder, void *context);

#endif
