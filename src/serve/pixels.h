/* SPDX-License-Identifier: MIT */
/* Pictures that were decoded lately, by the SHA-256 of their file: to copy their pixels takes a tenth of the time. The store
 * is one of its own; NULL remembers nothing. From any thread. */
#ifndef LP_SERVE_PIXELS_H
#define LP_SERVE_PIXELS_H

#include "base/store.h"
#include "image/image.h"

void lp_pixels_keep(struct lp_store *known, const struct lp_hash *file, const struct lp_image *image);
/* A copy, owned by caller; NULL: it is not known, or there is no memory. */
struct lp_image *lp_pixels_find(struct lp_store *known, const struct lp_hash *file);
/* As lp_image_decode. */
struct lp_image *lp_pixels_decode(struct lp_store *known, const void *bytes, size_t n, struct lp_error *err);

#endif
