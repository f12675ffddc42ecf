/* SPDX-License-Identifier: MIT */
/* image.h - pictures: a file or bytes in, 8-bit RGB [height,width,3] out, and back to a file.
 *
 * Reads JPEG, PNG, WebP, GIF (first frame), TIFF (first page), HEIC and AVIF: raster kinds whose loaders are
 * fuzzed, and nothing else. EXIF orientation is applied, ICC profiles become sRGB, alpha is laid on white.
 * The outside is not trusted: sizes are checked from the header before a pixel is decoded. */
#ifndef LP_IMAGE_IMAGE_H
#define LP_IMAGE_IMAGE_H

#include "base/error.h"

#include <stdatomic.h>

#define LP_IMAGE_MAX_PIXELS 178956970   /* width * height; where PIL warns of a decompression bomb, too */
#define LP_IMAGE_MAX_BYTES (256u << 20) /* of an encoded picture */

/* A picture; a heap object owned by the caller (lp_image_close). */
struct lp_image {
    int width, height; /* px, at least 1 */
    uint8_t *pixel;    /* [height,width,3], RGB, rows without padding */
    size_t mapped;      /* bytes of pixel where they are a mapping; 0: they are not */
    atomic_int sharers; /* owners beside the first */
};

/* Reads a file, or standard input when path is "-". NULL on failure: LP_EIO (cannot be read), LP_EINPUT (is
 * not a whole, sane picture of a known kind), LP_EMEMORY. Safe from several threads at once. */
struct lp_image *lp_image_open(const char *path, struct lp_error *err);

/* The same from n bytes (borrowed during the call). `name` names them in errors. */
struct lp_image *lp_image_decode(const void *bytes, size_t n, const char *name, struct lp_error *err);

/* Only how opaque it is: [height,width], 0 (transparent) to 255. Owned by caller (lp_free); NULL as above, and LP_EINPUT
 * where the picture has no alpha channel. */
uint8_t *lp_image_decode_alpha(const void *bytes, size_t n, const char *name, int *width, int *height, struct lp_error *err);

/* Whether a file is a whole picture: by its header and its end where these tell, else by decoding it. */
bool lp_image_check(const char *path, struct lp_error *err);

struct lp_image *lp_image_new(int width, int height,
                              struct lp_error *err); /* black; within the limits above */
struct lp_image *lp_image_copy(const struct lp_image *image, struct lp_error *err);
/* The same picture for one more owner, from any thread; from then on nobody changes it. Ended by lp_image_close. */
struct lp_image *lp_image_share(struct lp_image *image);
void lp_image_close(struct lp_image *image); /* NULL is fine */

/* Encodes as PNG (lossless). Owned by caller (lp_free); NULL on failure. */
uint8_t *lp_image_encode_png(const struct lp_image *image, size_t *size, struct lp_error *err);

/* Encodes pixels [height,width,bands], 8 bits, 1 or 3 bands, as the kind of file that `name` ends in (see below). Owned
 * by caller (lp_free); NULL on failure. */
uint8_t *lp_image_encode(const uint8_t *pixel, int width, int height, int bands, const char *name, size_t *size,
                         struct lp_error *err);

/* Writes a file whose kind its name tells: .png, .jpg, .jpeg (quality 92), .webp (90). The file appears whole
 * or not at all. Another ending is LP_EUSAGE. */
bool lp_image_save(const struct lp_image *image, const char *path, struct lp_error *err);

#endif
