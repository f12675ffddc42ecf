/* SPDX-License-Identifier: MIT */
/* Pictures that were decoded lately, by the SHA-256 of their file. What is found is shared, not copied: nobody changes it.
 * From any thread. `p` NULL remembers nothing. */
#ifndef LP_SERVE_PIXELS_H
#define LP_SERVE_PIXELS_H

#include "base/sha256.h"
#include "image/image.h"

struct lp_pixels;

/* Remembers at most so many bytes of pixels, the last used. Owned by caller; NULL when out of memory. */
struct lp_pixels *lp_pixels_open(size_t most_bytes, struct lp_error *err);
void lp_pixels_close(struct lp_pixels *p); /* NULL is fine */

/* Owned by caller; NULL: it is not known. */
struct lp_image *lp_pixels_find(struct lp_pixels *p, const struct lp_hash *file);
/* As lp_image_decode, of bytes whose hash is `file`. */
struct lp_image *lp_pixels_decode(struct lp_pixels *p, const struct lp_hash *file, const void *bytes, size_t n,
                                  struct lp_error *err);
void lp_pixels_forget(struct lp_pixels *p, const struct lp_hash *file);

size_t lp_pixels_memory(struct lp_pixels *p); /* bytes that are remembered */

#endif
