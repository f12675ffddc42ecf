/* SPDX-License-Identifier: MIT */
/* rle.h - masks as COCO's compressed run lengths: column-major, alternating outside/inside, each written as
 * the difference to the run before the last, in 6-bit characters '0'..'o'; and the same as numbers. */
#ifndef LP_IMAGE_RLE_H
#define LP_IMAGE_RLE_H

#include "base/error.h"

/* A mask of width x height px as runs down its columns, the first one outside. Zero-initialised is a valid empty state. */
struct lp_rle {
    int width, height;
    uint32_t *run; /* [n], px; together width * height; owned */
    size_t n;
};

void lp_rle_done(struct lp_rle *rle);

/* Each of these fills *out, which is done with by lp_rle_done whatever they return. LP_EINPUT when the runs do not cover
 * the mask exactly. */
bool lp_rle_read(struct lp_rle *out, const char *counts, size_t n, int width, int height, struct lp_error *err);
bool lp_rle_from_runs(struct lp_rle *out, const uint32_t *run, size_t n, int width, int height, struct lp_error *err);
/* mask[height,width], row-major, non-zero is inside. */
bool lp_rle_from_mask(struct lp_rle *out, const uint8_t *mask, int width, int height, struct lp_error *err);
/* `polygons` outlines, the i-th of points[i] corners; xy: x and y of all corners in turn, px, each within
 * LP_RLE_FARTHEST of 0. Inside is what any of them covers, by the rule of pycocotools. LP_EINPUT also for outlines that cross
 * more than LP_RLE_CROSSINGS columns in all. */
#define LP_RLE_FARTHEST 1e7
#define LP_RLE_CROSSINGS (1 << 24)
bool lp_rle_from_polygons(struct lp_rle *out, const double *xy, const size_t *points, size_t polygons, int width, int height,
                          struct lp_error *err);

char *lp_rle_text(const struct lp_rle *rle, struct lp_error *err); /* the "counts" text; owned by caller (lp_free) */

int64_t lp_rle_area(const struct lp_rle *rle);                    /* px inside */
void lp_rle_box(const struct lp_rle *rle, double xywh[4]);        /* around what is inside; 0 0 0 0 where nothing is */
int64_t lp_rle_overlap(const struct lp_rle *a, const struct lp_rle *b); /* px inside both, which are of one size */

/* mask[height,width], row-major, non-zero is inside -> the "counts" text. Owned by caller (lp_free); NULL on
 * failure. */
char *lp_rle_encode(const uint8_t *mask, int width, int height, struct lp_error *err);

/* The n characters of `counts` -> mask[height,width] of 0 and 1, the caller's. LP_EINPUT when they are
 * malformed or do not cover the mask exactly. */
bool lp_rle_decode(uint8_t *mask, int width, int height, const char *counts, size_t n, struct lp_error *err);

/* The same without the mask; *area is the number of pixels inside. */
bool lp_rle_check(const char *counts, size_t n, int width, int height, int64_t *area, struct lp_error *err);

#endif
