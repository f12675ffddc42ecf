/* SPDX-License-Identifier: MIT */
/* plan/remote_picture.c - pictures as data URLs (RFC 2397), made once. */
#include "base/base64.h"
#include "base/memory.h"
#include "image/resize.h"
#include "plan/remote_inner.h"

#include <math.h>

enum { SMALL = 256 << 10 }; /* bytes up to which a PNG is sent, for what is drawn and written */

void lp_remote_forget_pictures(struct lp_remote *r) {
    for (int i = 0; i < r->pictures; i++)
        lp_free(r->picture[i]);
    r->pictures = 0;
}

/* A smaller copy where the picture is too large; *made is owned by the caller and may stay NULL. */
static const struct lp_image *fit(const struct lp_image *image, int longest, struct lp_image **made,
                                  struct lp_error *err) {
    int side = image->width > image->height ? image->width : image->height;
    *made = NULL;
    if (side <= longest)
        return image;
    double scale = (double)longest / side;
    *made = lp_resize(image, (int)fmax(1, round(scale * image->width)),
                      (int)fmax(1, round(scale * image->height)), LP_BICUBIC, err);
    return *made;
}

/* Owned by caller; NULL on failure. */
static char *data_url(const struct lp_image *image, int longest, struct lp_error *err) {
    struct lp_image *made;
    const struct lp_image *sent = fit(image, longest, &made, err);
    size_t n = 0;
    bool png = true;
    uint8_t *bytes = sent ? lp_image_encode_png(sent, &n, err) : NULL;
    if (bytes && n > SMALL) {
        png = false;
        lp_free(bytes);
        bytes = lp_image_encode(sent->pixel, sent->width, sent->height, 3, "a.jpg", &n, err);
    }
    lp_image_close(made);
    if (!bytes)
        return NULL;
    struct lp_str url = {0};
    lp_str_puts(&url, png ? "data:image/png;base64," : "data:image/jpeg;base64,");
    lp_base64_add(&url, bytes, n);
    lp_free(bytes);
    if (!url.failed)
        return url.s;
    lp_str_done(&url);
    lp_error_memory(err);
    return NULL;
}

const char *lp_remote_picture(struct lp_remote *r, const struct lp_object *object, struct lp_error *err) {
    int n = object->number;
    if (n > r->pictures) {
        char **grown = lp_realloc(r->picture, (size_t)n * sizeof *grown);
        if (!grown) {
            lp_error_memory(err);
            return NULL;
        }
        r->picture = grown;
        while (r->pictures < n)
            r->picture[r->pictures++] = NULL;
    }
    if (!r->picture[n - 1])
        r->picture[n - 1] = data_url(object->picture, r->settings.longest_side, err);
    return r->picture[n - 1];
}
