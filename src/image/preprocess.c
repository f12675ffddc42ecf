/* SPDX-License-Identifier: MIT */
/* image/preprocess.c - picture [height,width,3] -> network input [3,crop,crop].
 *
 * transformers' CLIPImageProcessor (resize the short side, centre crop, rescale, normalise) and LLaVA's
 * mm_utils.expand2square before it. Only the crop is computed, so that a picture of one row costs no
 * gigabytes. */
#include "image/preprocess.h"

#include "base/json.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

#define MAX_SIDE 4096 /* px; no network here takes more */

void lp_preprocess_defaults(struct lp_preprocess *p) {
    *p = (struct lp_preprocess){
        .size = 224,
        .crop = 224,
        .aspect = LP_ASPECT_CROP,
        .filter = LP_BICUBIC,
        .rescale = 1.0 / 255,
        .mean = {0.48145466, 0.4578275, 0.40821073}, /* CLIP's training pictures (Radford et al. 2021) */
        .std = {0.26862954, 0.26130258, 0.27577711}};
}

/* A side given as a number, {"shortest_edge": n} or {"height": n, "width": n}. */
static bool read_size(const json_t *config, const char *key, int *side, bool *is_shortest,
                      struct lp_error *err) {
    const json_t *value = json_object_get(config, key);
    int64_t n = *side, other;
    *is_shortest = true;
    if (!value || json_is_null(value))
        return true;
    if (!json_is_object(value)) {
        if (!lp_json_int(config, key, *side, 1, MAX_SIDE, &n, err))
            return false;
    } else if (json_object_get(value, "shortest_edge")) {
        if (json_object_get(value, "longest_edge"))
            return lp_error_set(err, LP_EINPUT, "%s.longest_edge cannot be followed", key);
        if (!lp_json_int(value, "shortest_edge", *side, 1, MAX_SIDE, &n, err))
            return lp_error_prefix(err, "%s", key);
    } else {
        *is_shortest = false;
        if (!lp_json_int(value, "height", 0, 1, MAX_SIDE, &n, err) ||
            !lp_json_int(value, "width", 0, 1, MAX_SIDE, &other, err))
            return lp_error_prefix(err, "%s", key);
        if (n != other)
            return lp_error_set(err, LP_EINPUT, "%s must be square, not %d x %d", key, (int)other, (int)n);
    }
    *side = (int)n;
    return true;
}

static bool read_three(const json_t *config, const char *key, double out[3], struct lp_error *err) {
    const json_t *list = json_object_get(config, key);
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list) || json_array_size(list) != 3)
        return lp_error_set(err, LP_EINPUT, "%s must be a list of three numbers", key);
    for (size_t i = 0; i < 3; i++) {
        const json_t *number = json_array_get(list, i);
        out[i] = json_number_value(number);
        if (!json_is_number(number) || !isfinite(out[i]))
            return lp_error_set(err, LP_EINPUT, "%s must be a list of three numbers", key);
    }
    return true;
}

/* A switch that is on, or absent; the pipeline has no other way. */
static bool is_on(const json_t *config, const char *key, struct lp_error *err) {
    const json_t *value = json_object_get(config, key);
    return !value || json_is_null(value) || json_is_true(value) ||
           lp_error_set(err, LP_EINPUT, "%s must be true: a picture processor without it cannot be followed",
                        key);
}

static bool read_filter(const json_t *config, enum lp_filter *filter, struct lp_error *err) {
    int64_t resample;
    static const enum lp_filter filters[] = {
        [1] = LP_LANCZOS, [2] = LP_BILINEAR, [3] = LP_BICUBIC}; /* PIL's numbers */
    if (!lp_json_int(config, "resample", 3, 0, 5, &resample, err))
        return false;
    if (resample < 1 || resample > 3)
        return lp_error_set(err, LP_EINPUT,
                            "resample must be 1 (Lanczos), 2 (bilinear) or 3 (bicubic), not %d",
                            (int)resample);
    *filter = filters[resample];
    return true;
}

bool lp_preprocess_read(struct lp_preprocess *p, const json_t *config, struct lp_error *err) {
    bool is_shortest, crop_is_shortest;
    lp_preprocess_defaults(p);
    if (!config)
        return true;
    if (!json_is_object(config))
        return lp_error_set(err, LP_EINPUT, "the picture processor's settings must be a JSON object");
    if (!is_on(config, "do_resize", err) || !is_on(config, "do_rescale", err) ||
        !is_on(config, "do_normalize", err) || !read_size(config, "size", &p->size, &is_shortest, err))
        return false;
    p->crop = p->size;
    p->aspect = is_shortest ? LP_ASPECT_CROP : LP_ASPECT_SQUASH;
    const json_t *crops = json_object_get(config, "do_center_crop");
    if (json_is_false(crops) && is_shortest)
        return is_on(config, "do_center_crop", err);
    if (!json_is_false(crops) && !read_size(config, "crop_size", &p->crop, &crop_is_shortest, err))
        return false;
    if (p->crop > p->size)
        return lp_error_set(err, LP_EINPUT, "crop_size %d is larger than size %d", p->crop, p->size);
    if (!read_filter(config, &p->filter, err) || !read_three(config, "image_mean", p->mean, err) ||
        !read_three(config, "image_std", p->std, err) ||
        !lp_json_number(config, "rescale_factor", p->rescale, &p->rescale, err))
        return false;
    for (int c = 0; c < 3; c++)
        if ((float)p->std[c] == 0)
            return lp_error_set(err, LP_EINPUT, "image_std must not be 0");
    return true;
}

bool lp_preprocess_set_aspect(struct lp_preprocess *p, const char *name, struct lp_error *err) {
    if (name && strcmp(name, "pad") == 0)
        p->aspect = LP_ASPECT_PAD;
    else if (name && strcmp(name, "square") != 0)
        return lp_error_set(err, LP_EINPUT, "image_aspect_ratio must be \"square\" or \"pad\", not \"%s\"",
                            name);
    return true;
}

static uint8_t pad_color(double mean) {
    return (uint8_t)(mean <= 0 ? 0 : mean >= 1 ? 255 : (int)(mean * 255));
}

/* Which canvas, which size and which part of it the settings ask for. */
static struct lp_resize_part plan(const struct lp_preprocess *p, const struct lp_image *image) {
    struct lp_resize_part part = {.canvas_width = image->width, .canvas_height = image->height};
    if (p->aspect == LP_ASPECT_PAD) {
        int side = image->width > image->height ? image->width : image->height;
        part.canvas_width = part.canvas_height = side;
        part.left = (side - image->width) / 2;
        part.top = (side - image->height) / 2;
        for (int c = 0; c < 3; c++)
            part.color[c] = pad_color(p->mean[c]);
    }
    int64_t w = part.canvas_width, h = part.canvas_height, size = p->size;
    part.width = part.height = size;
    if (p->aspect == LP_ASPECT_CROP && w > h)
        part.width = (int64_t)((double)(size * w) / (double)h);
    else if (p->aspect == LP_ASPECT_CROP)
        part.height = (int64_t)((double)(size * h) / (double)w);
    part.part_width = part.part_height = p->crop;
    part.x = (part.width - p->crop) / 2;
    part.y = (part.height - p->crop) / 2;
    return part;
}

struct lp_image *lp_preprocess_pixels(const struct lp_preprocess *p, const struct lp_image *image,
                                      struct lp_error *err) {
    struct lp_resize_part part = plan(p, image);
    return lp_resize_part(image, &part, p->filter, err);
}

void lp_preprocess_normalize(const struct lp_preprocess *p, const uint8_t *pixel, size_t n, float *out) {
    for (int c = 0; c < 3; c++) {
        float value[256]; /* the reference scales in double, rounds to float, and normalises in float */
        for (int i = 0; i < 256; i++)
            value[i] = ((float)(i * p->rescale) - (float)p->mean[c]) / (float)p->std[c];
        for (size_t i = 0; i < n; i++)
            out[(size_t)c * n + i] = value[pixel[3 * i + (size_t)c]];
    }
}

void lp_preprocess_numbers(const struct lp_preprocess *p, const uint8_t *pixel, float *out) {
    lp_preprocess_normalize(p, pixel, (size_t)p->crop * (size_t)p->crop, out);
}

bool lp_preprocess_run(const struct lp_preprocess *p, const struct lp_image *image, float *out,
                       struct lp_error *err) {
    struct lp_image *small = lp_preprocess_pixels(p, image, err);
    if (!small)
        return false;
    lp_preprocess_numbers(p, small->pixel, out);
    lp_image_close(small);
    return true;
}
