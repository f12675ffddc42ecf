/* SPDX-License-Identifier: MIT */
/* skill/wire_pixels.c - pictures, masks and maps in JSON. */
#include "base/base64.h"
#include "base/memory.h"
#include "image/rle.h"
#include "skill/palette.h"
#include "skill/wire_inner.h"

#include <string.h>

json_t *lp_wire_picture(const struct lp_image *image, const char *kind, struct lp_error *err) {
    size_t n;
    uint8_t *bytes = lp_image_encode(image->pixel, image->width, image->height, 3, kind, &n, err);
    struct lp_str text = {0};
    if (!bytes)
        return NULL;
    lp_base64_add(&text, bytes, n);
    lp_free(bytes);
    json_t *value = text.failed ? NULL : json_stringn_nocheck(lp_str_text(&text), text.n);
    lp_str_done(&text);
    if (!value)
        lp_error_memory(err);
    return value;
}

struct lp_image *lp_wire_read_picture(const json_t *value, const char *name, struct lp_error *err) {
    struct lp_str bytes = {0};
    struct lp_image *image = NULL;
    const char *text = json_string_value(value);
    if (text && lp_base64_parse(&bytes, text, json_string_length(value)))
        image = lp_image_decode(lp_str_text(&bytes), bytes.n, name, err);
    else if (bytes.failed)
        lp_error_memory(err);
    else
        lp_error_set(err, LP_EINPUT, "'%s' must be a picture in base64: paths and addresses are not read", name);
    lp_str_done(&bytes);
    return image;
}

json_t *lp_wire_mask(const struct lp_object *mask, struct lp_error *err) {
    char *counts = lp_rle_encode(mask->pixel, mask->width, mask->height, err);
    json_t *value = counts ? json_pack("{s:[i,i], s:s}", "size", mask->height, mask->width, "counts", counts) : NULL;
    if (counts && !value)
        lp_error_memory(err);
    lp_free(counts);
    return value;
}

/* pixel[height,width] at another size, each pixel the nearest one; taken. */
static uint8_t *resize_plane(uint8_t *pixel, int *width, int *height, int to_width, int to_height) {
    uint8_t *out = lp_alloc_array((size_t)to_width, (size_t)to_height);
    for (int y = 0; out && y < to_height; y++)
        for (int x = 0; x < to_width; x++)
            out[(size_t)y * (size_t)to_width + (size_t)x] =
                pixel[(size_t)((int64_t)y * *height / to_height) * (size_t)*width + (size_t)((int64_t)x * *width / to_width)];
    lp_free(pixel);
    *width = to_width;
    *height = to_height;
    return out;
}

bool lp_wire_read_mask(struct lp_objects *to, const json_t *value, int width, int height, const char *label,
                       struct lp_error *err) {
    const json_t *size = json_object_get(value, "size"), *counts = json_object_get(value, "counts");
    json_int_t h = json_integer_value(json_array_get(size, 0)), w = json_integer_value(json_array_get(size, 1));
    if (!json_is_string(counts) || h < 1 || w < 1 || h > 1 << 16 || w > 1 << 16 || h * w > LP_IMAGE_MAX_PIXELS)
        return lp_error_set(err, LP_EINPUT, "a mask must be {\"size\": [height,width], \"counts\": COCO's run lengths}");
    int mask_width = (int)w, mask_height = (int)h;
    uint8_t *pixel = lp_alloc((size_t)w * (size_t)h);
    bool done = (pixel || lp_error_memory(err)) && lp_rle_decode(pixel, mask_width, mask_height, json_string_value(counts),
                                                                 json_string_length(counts), err);
    if (done && width && (mask_width != width || mask_height != height)) {
        pixel = resize_plane(pixel, &mask_width, &mask_height, width, height);
        done = pixel || lp_error_memory(err);
    }
    done = done && lp_objects_add_mask(to, mask_width, mask_height, pixel, label, 1, err);
    lp_free(pixel);
    return done;
}

json_t *lp_wire_map(const struct lp_object *map, struct lp_error *err) {
    struct lp_image *image = lp_image_new(map->width, map->height, err);
    size_t n = (size_t)map->width * (size_t)map->height;
    for (size_t i = 0; image && i < n; i++)
        memcpy(image->pixel + 3 * i, lp_palette[map->pixel[i] % LP_PALETTE_CLASSES], 3);
    json_t *value = image ? lp_wire_picture(image, "a.jpg", err) : NULL;
    lp_image_close(image);
    return value;
}

static uint8_t nearest_class(const uint8_t *rgb) {
    int best = 0, least = INT32_MAX;
    for (int c = 0; c < LP_PALETTE_CLASSES && least; c++) {
        int far = 0;
        for (int k = 0; k < 3; k++)
            far += (rgb[k] - lp_palette[c][k]) * (rgb[k] - lp_palette[c][k]);
        if (far < least) {
            least = far;
            best = c;
        }
    }
    return (uint8_t)best;
}

bool lp_wire_read_map(struct lp_objects *to, const json_t *value, const char *name, struct lp_error *err) {
    struct lp_image *image = lp_wire_read_picture(value, name, err);
    size_t n = image ? (size_t)image->width * (size_t)image->height : 0;
    uint8_t *pixel = image ? lp_alloc(n) : NULL;
    bool done = image && (pixel || lp_error_memory(err));
    for (size_t i = 0; done && i < n; i++)
        pixel[i] = i && !memcmp(image->pixel + 3 * i, image->pixel + 3 * i - 3, 3) ? pixel[i - 1]
                                                                                 : nearest_class(image->pixel + 3 * i);
    done = done && lp_objects_add_map(to, image->width, image->height, pixel, err);
    lp_free(pixel);
    lp_image_close(image);
    return done;
}
