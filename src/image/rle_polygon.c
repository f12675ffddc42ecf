/* SPDX-License-Identifier: MIT */
/* image/rle_polygon.c - outlines to the pixels that they cover, pixel for pixel as pycocotools (maskApi's
 * rleFrPoly) has it.
 *
 * Corners are rounded to a grid five times as fine as pixels. The pixels of column x change sides where an
 * edge passes from fine column 5x+2 to 5x+3, the middle: at the upper one of the edge's two fine points
 * there, taken back to pixels and rounded down the picture. */
#include "image/rle.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { FINE = 5 };

struct span {
    int64_t from, to; /* px down the columns, to excluded */
};

struct outline {
    int64_t width, height;
    int64_t *crossing; /* of the present outline: px down the columns */
    size_t crossings, room;
    struct span *span; /* of all outlines */
    size_t spans, span_room;
    size_t work; /* crossings of all outlines */
};

struct point {
    int64_t x, y; /* fine */
};

/* Room for one more element. */
static bool grow(void **list, size_t n, size_t *room, size_t size) {
    if (n < *room)
        return true;
    size_t more = *room ? 2 * *room : 64;
    void *grown = lp_realloc(*list, more * size);
    if (grown) {
        *list = grown;
        *room = more;
    }
    return grown;
}

static bool add_crossing(struct outline *o, int64_t column, int64_t fine_y, struct lp_error *err) {
    double y = ((double)fine_y + 0.5) / FINE - 0.5;
    y = ceil(fmin(fmax(y, 0), (double)o->height));
    if (++o->work > LP_RLE_CROSSINGS)
        return lp_error_set(err, LP_EINPUT, "the mask's outlines are too intricate");
    if (!grow((void **)&o->crossing, o->crossings, &o->room, sizeof *o->crossing))
        return lp_error_memory(err);
    o->crossing[o->crossings++] = column * o->height + (int64_t)y;
    return true;
}

/* The fine coordinate that a line of this slope has after t steps. Rounds towards 0 as C does. */
static int64_t after(int64_t from, double slope, int64_t t) {
    return (int64_t)((double)from + slope * (double)t + 0.5);
}

/* The first of an upright edge's steps down that lies beyond the middle of the column. */
static int64_t step_beyond(struct point a, double slope, int64_t steps, int64_t middle) {
    int64_t low = 1, high = steps; /* the answer is in low..high */
    while (low < high) {
        int64_t t = low + (high - low) / 2;
        bool beyond = slope > 0 ? after(a.x, slope, t) > middle : after(a.x, slope, t) <= middle;
        if (beyond)
            high = t;
        else
            low = t + 1;
    }
    return low;
}

static bool cross_columns(struct outline *o, struct point a, struct point b, struct lp_error *err) {
    bool flat = llabs(b.x - a.x) >= llabs(b.y - a.y);
    if (flat ? a.x > b.x : a.y > b.y) {
        struct point swap = a;
        a = b;
        b = swap;
    }
    if (a.x == b.x)
        return true;
    double slope =
        flat ? (double)(b.y - a.y) / (double)(b.x - a.x) : (double)(b.x - a.x) / (double)(b.y - a.y);
    int64_t left = a.x < b.x ? a.x : b.x, right = a.x < b.x ? b.x : a.x;
    int64_t first = left <= 2 ? 0 : (left - 2 + FINE - 1) / FINE, y;
    for (int64_t column = first; column < o->width && FINE * column + 3 <= right; column++) {
        int64_t middle = FINE * column + 2;
        if (flat) {
            int64_t here = after(a.y, slope, middle - a.x), next = after(a.y, slope, middle + 1 - a.x);
            y = here < next ? here : next;
        } else
            y = a.y + step_beyond(a, slope, b.y - a.y, middle) - 1;
        if (!add_crossing(o, column, y, err))
            return false;
    }
    return true;
}

static int by_position(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int by_start(const void *a, const void *b) {
    return by_position(&((const struct span *)a)->from, &((const struct span *)b)->from);
}

static bool add_outline(struct outline *o, const double *xy, size_t points, struct lp_error *err) {
    o->crossings = 0;
    for (size_t i = 0; i < points; i++) {
        const double *p = xy + 2 * i, *q = xy + 2 * ((i + 1) % points);
        struct point a = {(int64_t)(FINE * p[0] + 0.5), (int64_t)(FINE * p[1] + 0.5)};
        struct point b = {(int64_t)(FINE * q[0] + 0.5), (int64_t)(FINE * q[1] + 0.5)};
        if (!cross_columns(o, a, b, err))
            return false;
    }
    if (o->crossings)
        qsort(o->crossing, o->crossings, sizeof *o->crossing, by_position);
    for (size_t i = 0; i < o->crossings; i += 2) {
        struct span s = {o->crossing[i], i + 1 < o->crossings ? o->crossing[i + 1] : o->width * o->height};
        if (!grow((void **)&o->span, o->spans, &o->span_room, sizeof s))
            return lp_error_memory(err);
        if (s.from < s.to)
            o->span[o->spans++] = s;
    }
    return true;
}

/* Spans that overlap or touch become one run. */
static bool join_spans(struct lp_rle *out, struct outline *o, struct lp_error *err) {
    int64_t at = 0;
    if (o->spans)
        qsort(o->span, o->spans, sizeof *o->span, by_start);
    if (!(out->run = lp_alloc_array(2 * o->spans + 1, sizeof *out->run)))
        return lp_error_memory(err);
    for (size_t i = 0; i < o->spans;) {
        struct span s = o->span[i++];
        for (; i < o->spans && o->span[i].from <= s.to; i++)
            s.to = o->span[i].to > s.to ? o->span[i].to : s.to;
        out->run[out->n++] = (uint32_t)(s.from - at);
        out->run[out->n++] = (uint32_t)(s.to - s.from);
        at = s.to;
    }
    if (at < o->width * o->height)
        out->run[out->n++] = (uint32_t)(o->width * o->height - at);
    return true;
}

bool lp_rle_from_polygons(struct lp_rle *out, const double *xy, const size_t *points, size_t polygons,
                          int width, int height, struct lp_error *err) {
    struct outline o = {.width = width, .height = height};
    bool ok = true;
    *out = (struct lp_rle){.width = width, .height = height};
    for (size_t i = 0; ok && i < polygons; xy += 2 * points[i++])
        ok = add_outline(&o, xy, points[i], err);
    ok = ok && join_spans(out, &o, err);
    lp_free(o.crossing);
    lp_free(o.span);
    return ok;
}
