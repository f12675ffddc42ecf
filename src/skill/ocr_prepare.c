/* SPDX-License-Identifier: MIT */
/* skill/ocr_prepare.c - picture [H,W,3] -> three grey views [h,w] for reading, through Leptonica.
 *
 * Small pictures are made larger until letters have the 20 to 40 px that the network was trained on, very
 * large ones smaller. Lines that lean up to 7 degrees are set straight. The light and dark views are
 * morphological top-hats (what an opening or closing wider than a pen stroke takes away): a coloured patch, a
 * shadow or a gradient vanishes there and only writing is left, of one polarity each.
 * tools/bench/ocr_accuracy.sh measures. */
#include "skill/ocr_prepare.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/image.h"

#include <math.h>

#include <leptonica/allheaders.h>

enum {
    SMALL_PX = 1400,  /* longest side that smaller pictures are brought to ... */
    MOST_TIMES = 4,   /* ... but not by more than this */
    LARGE_PX = 2400,  /* longest side that larger pictures are brought to */
    STROKE_PX = 61,   /* wider than any stroke of writing, narrower than a patch behind it */
    WHITE_FROM = 100, /* top-hat contrast of 155 and more becomes black, none becomes white */
};
static const float sure_angle = 3.0f, least_angle = 0.1f; /* Leptonica's own limits for straightening */

void lp_ocr_views_done(struct lp_ocr_views *views) {
    lp_free(views->grey);
    lp_free(views->light);
    lp_free(views->dark);
    *views = (struct lp_ocr_views){0};
}

static PIX *grey_of(const struct lp_image *picture) {
    PIX *pix = pixCreateNoInit(picture->width, picture->height, 8);
    for (int y = 0; pix && y < picture->height; y++) {
        l_uint32 *line = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        const uint8_t *rgb = picture->pixel + (size_t)y * (size_t)picture->width * 3;
        for (int x = 0; x < picture->width; x++, rgb += 3)
            SET_DATA_BYTE(line, x, (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2] + 128) >> 8); /* ITU-R BT.601 */
    }
    return pix;
}

/* Replaces *pix by `next`; false when that could not be made. */
static bool step(PIX **pix, PIX *next) {
    pixDestroy(pix);
    *pix = next;
    return next != NULL;
}

static float scale_for(const struct lp_image *picture) {
    int longest = picture->width > picture->height ? picture->width : picture->height;
    if (longest > LARGE_PX)
        return (float)LARGE_PX / (float)longest;
    float scale = (float)SMALL_PX / (float)longest;
    return scale < 1 ? 1 : scale > MOST_TIMES ? MOST_TIMES : scale;
}

static PIX *scaled(PIX *pix, float scale) {
    float width = scale * (float)pixGetWidth(pix), height = scale * (float)pixGetHeight(pix);
    int w = width < 1 ? 1 : (int)lroundf(width), h = height < 1 ? 1 : (int)lroundf(height);
    bool is_thread = w < 8 || h < 8; /* smooth scaling refuses some of these, and no letter fits in */
    return is_thread ? pixScaleBySamplingToSize(pix, w, h) : pixScaleToSize(pix, w, h);
}

/* The angle that sets the lines straight, degrees clockwise; 0 when there is none to be sure of. */
static float lean(PIX *grey) {
    l_float32 angle = 0, confidence = 0;
    PIX *ink = NULL;
    int w = pixGetWidth(grey), h = pixGetHeight(grey);
    if (w < 16 || h < 16 || pixOtsuAdaptiveThreshold(grey, w, h, 0, 0, 0.1f, NULL, &ink) ||
        pixFindSkew(ink, &angle, &confidence))
        confidence = 0;
    pixDestroy(&ink);
    return confidence >= sure_angle && fabsf(angle) >= least_angle ? angle : 0;
}

/* Rows without padding; owned by caller (lp_free); NULL when out of memory. */
static uint8_t *bytes_of(PIX *pix) {
    size_t w = (size_t)pixGetWidth(pix), h = (size_t)pixGetHeight(pix);
    uint8_t *bytes = lp_alloc_array(h, w);
    for (size_t y = 0; bytes && y < h; y++) {
        const l_uint32 *line = pixGetData(pix) + y * (size_t)pixGetWpl(pix);
        for (size_t x = 0; x < w; x++)
            bytes[y * w + x] = (uint8_t)GET_DATA_BYTE(line, x);
    }
    return bytes;
}

static uint8_t *hat_of(PIX *grey, int kind) {
    uint8_t *bytes = NULL;
    PIX *hat = pixTophat(grey, STROKE_PX, STROKE_PX, kind);
    if (hat && pixInvert(hat, hat) && step(&hat, pixGammaTRC(NULL, hat, 1.0f, WHITE_FROM, 255)))
        bytes = bytes_of(hat);
    pixDestroy(&hat);
    return bytes;
}

bool lp_ocr_prepare(struct lp_ocr_views *views, const struct lp_image *picture, struct lp_error *err) {
    *views = (struct lp_ocr_views){
        .picture_width = picture->width, .picture_height = picture->height, .scale = scale_for(picture)};
    PIX *pix = grey_of(picture);
    bool ok = pix && (views->scale == 1 || step(&pix, scaled(pix, views->scale)));
    if (ok)
        views->angle = lean(pix);
    if (ok && views->angle != 0)
        ok = step(&pix, pixRotate(pix, views->angle * (float)(M_PI / 180), L_ROTATE_AREA_MAP,
                                  L_BRING_IN_WHITE, 0, 0));
    if (ok) {
        views->width = pixGetWidth(pix);
        views->height = pixGetHeight(pix);
        views->grey = bytes_of(pix);
        views->light = hat_of(pix, L_TOPHAT_WHITE);
        views->dark = hat_of(pix, L_TOPHAT_BLACK);
        ok = views->grey && views->light && views->dark;
    }
    pixDestroy(&pix);
    if (!ok) {
        lp_ocr_views_done(views);
        return lp_error_memory(err);
    }
    return true;
}

static float clamp(float v, int most) {
    return v < 0 ? 0 : v > (float)most ? (float)most : v;
}

void lp_ocr_views_box(const struct lp_ocr_views *views, float box[4]) {
    float a = views->angle * (float)(M_PI / 180), c = cosf(a), s = sinf(a);
    float cx = (float)(views->width / 2), cy = (float)(views->height / 2); /* what pixRotate turns around */
    float lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++) {
        float dx = box[i & 1 ? 2 : 0] - cx, dy = box[i & 2 ? 3 : 1] - cy;
        float p[2] = {(cx + dx * c + dy * s) / views->scale, (cy - dx * s + dy * c) / views->scale};
        for (int k = 0; k < 2; k++) {
            lo[k] = fminf(lo[k], p[k]);
            hi[k] = fmaxf(hi[k], p[k]);
        }
    }
    box[0] = clamp(lo[0], views->picture_width);
    box[1] = clamp(lo[1], views->picture_height);
    box[2] = clamp(hi[0], views->picture_width);
    box[3] = clamp(hi[1], views->picture_height);
}
