/* SPDX-License-Identifier: MIT */
/* serve/pixels.c - an entry of the store is the picture's size and its pixels. */
#include "serve/pixels.h"

#include <string.h>

struct head {
    int32_t width, height;
};

static size_t pixel_bytes(const struct lp_image *image) {
    return (size_t)image->width * (size_t)image->height * 3;
}

void lp_pixels_keep(struct lp_store *known, const struct lp_hash *file, const struct lp_image *image) {
    const struct head head = {image->width, image->height};
    size_t n = sizeof head + pixel_bytes(image);
    uint8_t *copy = !known || !image->pixel || lp_store_has(known, file, n) ? NULL : lp_store_new(known, n);
    if (!copy)
        return;
    memcpy(copy, &head, sizeof head);
    memcpy(copy + sizeof head, image->pixel, n - sizeof head);
    lp_store_put(known, file, copy);
}

struct lp_image *lp_pixels_find(struct lp_store *known, const struct lp_hash *file) {
    struct lp_stored found;
    struct head head;
    if (!lp_store_find(known, file, LP_STORE_ANY, &found))
        return NULL;
    memcpy(&head, found.data, sizeof head);
    struct lp_image *copy =
        lp_image_copy(&(struct lp_image){head.width, head.height, (uint8_t *)found.data + sizeof head}, NULL);
    lp_store_release(known, &found);
    return copy;
}

struct lp_image *lp_pixels_decode(struct lp_store *known, const void *bytes, size_t n, struct lp_error *err) {
    if (!known)
        return lp_image_decode(bytes, n, "a picture", err);
    const struct lp_hash file = lp_sha256_of(bytes, n);
    struct lp_image *image = lp_pixels_find(known, &file);
    if (image || !(image = lp_image_decode(bytes, n, "a picture", err)))
        return image;
    lp_pixels_keep(known, &file, image);
    return image;
}
