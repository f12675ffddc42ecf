/* SPDX-License-Identifier: MIT */
/* image/emoji.c - pictograms through libvips, Pango and Cairo. */
#include "image/emoji.h"

#include "base/file.h"
#include "base/memory.h"
#include "image/vips.h"

#include <string.h>

static const char font_file[] = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/* The part of [height,width,4] that is not transparent, into e. */
static bool crop(struct lp_emoji *e, const uint8_t *rgba, int width, int height, struct lp_error *err) {
    int x0 = width, y0 = height, x1 = -1, y1 = -1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if (rgba[4 * ((size_t)y * (size_t)width + (size_t)x) + 3] > 8) {
                x0 = x < x0 ? x : x0;
                x1 = x > x1 ? x : x1;
                y0 = y < y0 ? y : y0;
                y1 = y > y1 ? y : y1;
            }
    if (x1 < 0)
        return lp_error_set(err, LP_EINPUT, "the emoji font has no such pictogram");
    e->width = x1 - x0 + 1;
    e->height = y1 - y0 + 1;
    e->rgba = lp_alloc_array((size_t)e->width * 4, (size_t)e->height);
    if (!e->rgba)
        return lp_error_memory(err);
    for (int y = 0; y < e->height; y++)
        memcpy(e->rgba + (size_t)y * (size_t)e->width * 4,
               rgba + 4 * ((size_t)(y + y0) * (size_t)width + (size_t)x0), (size_t)e->width * 4);
    return true;
}

bool lp_emoji_make(struct lp_emoji *e, const char *text, struct lp_error *err) {
    *e = (struct lp_emoji){0};
    if (!lp_file_exists(font_file))
        return lp_error_set(err, LP_EMISSING, "there is no %s: install Debian's package fonts-noto-color-emoji", font_file);
    if (!lp_vips_start(err))
        return false;
    VipsImage *image = NULL; /* without "fontfile": libvips 8.14 looks at the last call's name after it was freed */
    size_t n = 0;
    uint8_t *rgba = NULL;
    if (!vips_text(&image, text, "font", "Noto Color Emoji 109", "dpi", 72, "rgba", TRUE, NULL) &&
        image->Bands == 4)
        rgba = vips_image_write_to_memory(image, &n);
    bool ok = rgba && n == 4 * (size_t)image->Xsize * (size_t)image->Ysize;
    ok = ok ? crop(e, rgba, image->Xsize, image->Ysize, err)
            : lp_error_set(err, LP_EINPUT, "the pictogram '%s' cannot be drawn", text);
    g_free(rgba);
    if (image)
        g_object_unref(image);
    lp_vips_end();
    return ok;
}

void lp_emoji_done(struct lp_emoji *e) {
    lp_free(e->rgba);
    *e = (struct lp_emoji){0};
}
