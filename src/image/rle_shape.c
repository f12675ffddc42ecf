/* SPDX-License-Identifier: MIT */
/* image/rle_shape.c - masks as runs: made from pixels or numbers, their area, box and overlap. */
#include "image/rle.h"

#include "base/memory.h"

#include <string.h>

void lp_rle_done(struct lp_rle *rle) {
    lp_free(rle->run);
    *rle = (struct lp_rle){0};
}

bool lp_rle_from_runs(struct lp_rle *out, const uint32_t *run, size_t n, int width, int height,
                      struct lp_error *err) {
    int64_t total = (int64_t)width * height, filled = 0;
    *out = (struct lp_rle){.width = width, .height = height};
    for (size_t i = 0; i < n && filled <= total; i++)
        filled += run[i];
    if (filled > total)
        return lp_error_set(err, LP_EINPUT, "the mask's run lengths do not fit its %d x %d pixels", width,
                            height);
    if (filled < total)
        return lp_error_set(err, LP_EINPUT, "the mask's run lengths cover %lld of its %lld pixels",
                            (long long)filled, (long long)total);
    if (!(out->run = lp_alloc_array(n, sizeof *run)))
        return lp_error_memory(err);
    memcpy(out->run, run, n * sizeof *run);
    out->n = n;
    return true;
}

/* Ends the present run with room for one more. */
static bool add_run(struct lp_rle *r, size_t *room, int64_t run) {
    if (r->n == *room) {
        size_t more = *room ? 2 * *room : 64;
        uint32_t *grown = lp_realloc(r->run, more * sizeof *grown);
        if (!grown)
            return false;
        r->run = grown;
        *room = more;
    }
    r->run[r->n++] = (uint32_t)run;
    return true;
}

bool lp_rle_from_mask(struct lp_rle *out, const uint8_t *mask, int width, int height, struct lp_error *err) {
    size_t room = 0;
    int64_t run = 0;
    bool inside = false, ok = true;
    *out = (struct lp_rle){.width = width, .height = height};
    for (int x = 0; x < width; x++)
        for (int y = 0; y < height; y++) {
            if ((mask[(size_t)y * (size_t)width + (size_t)x] != 0) != inside) {
                ok = ok && add_run(out, &room, run);
                inside = !inside;
                run = 0;
            }
            run++;
        }
    return (ok && add_run(out, &room, run)) || lp_error_memory(err);
}

int64_t lp_rle_area(const struct lp_rle *rle) {
    int64_t area = 0;
    for (size_t i = 1; i < rle->n; i += 2)
        area += rle->run[i];
    return area;
}

void lp_rle_box(const struct lp_rle *rle, double xywh[4]) {
    int64_t at = 0, height = rle->height, left = rle->width, right = -1, top = height, bottom = -1;
    for (size_t i = 0; i < rle->n; at += rle->run[i++]) {
        if (i % 2 == 0 || !rle->run[i])
            continue;
        int64_t last = at + rle->run[i] - 1, x0 = at / height, x1 = last / height;
        int64_t y0 = x0 == x1 ? at % height : 0,
                y1 = x0 == x1 ? last % height : height - 1; /* a run over an edge fills it */
        left = x0 < left ? x0 : left;
        right = x1 > right ? x1 : right;
        top = y0 < top ? y0 : top;
        bottom = y1 > bottom ? y1 : bottom;
    }
    bool any = right >= 0;
    xywh[0] = any ? (double)left : 0;
    xywh[1] = any ? (double)top : 0;
    xywh[2] = any ? (double)(right - left + 1) : 0;
    xywh[3] = any ? (double)(bottom - top + 1) : 0;
}

int64_t lp_rle_overlap(const struct lp_rle *a, const struct lp_rle *b) {
    size_t i = 0, k = 0;
    int64_t both = 0, at = 0, end_a = a->n ? a->run[0] : 0, end_b = b->n ? b->run[0] : 0;
    while (i < a->n && k < b->n) {
        int64_t end = end_a < end_b ? end_a : end_b;
        both += i % 2 && k % 2 ? end - at : 0;
        at = end;
        if (end_a == end && ++i < a->n)
            end_a += a->run[i];
        if (end_b == end && ++k < b->n)
            end_b += b->run[k];
    }
    return both;
}
