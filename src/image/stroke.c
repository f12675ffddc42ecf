/* SPDX-License-Identifier: MIT */
/* image/stroke.c - row by row: what a brush covers between two corners is convex, so in a row it is one stretch. */
#include "image/stroke.h"

#include <math.h>
#include <string.h>

/* A stretch of a row; empty where lo > hi. */
struct stretch {
    float lo, hi;
};

static void widen(struct stretch *s, float lo, float hi) {
    s->lo = fminf(s->lo, lo);
    s->hi = fmaxf(s->hi, hi);
}

static void add_disc(struct stretch *s, const float at[2], float radius, float y) {
    float d = radius * radius - (y - at[1]) * (y - at[1]);
    if (d >= 0)
        widen(s, at[0] - sqrtf(d), at[0] + sqrtf(d));
}

/* The edge from a to b, where it crosses the row. */
static void add_edge(struct stretch *s, const float a[2], const float b[2], float y) {
    float lo = fminf(a[1], b[1]), hi = fmaxf(a[1], b[1]);
    if (y < lo || y > hi || lo == hi)
        return;
    float x = a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]);
    widen(s, x, x);
}

/* What the brush covers from a to b in the row: its discs at both ends and the band between them. */
static struct stretch covered(const float a[2], const float b[2], float radius, float y) {
    struct stretch s = {INFINITY, -INFINITY};
    float dx = b[0] - a[0], dy = b[1] - a[1], length = sqrtf(dx * dx + dy * dy);
    add_disc(&s, a, radius, y);
    add_disc(&s, b, radius, y);
    if (length > 0) {
        float nx = -dy / length * radius, ny = dx / length * radius;
        const float corner[4][2] = {
            {a[0] + nx, a[1] + ny}, {b[0] + nx, b[1] + ny}, {b[0] - nx, b[1] - ny}, {a[0] - nx, a[1] - ny}};
        for (int i = 0; i < 4; i++)
            add_edge(&s, corner[i], corner[(i + 1) % 4], y);
    }
    return s;
}

static int clamp(float x, int most) {
    return x < 0 ? 0 : x > (float)most ? most : (int)x;
}

static void fill_segment(uint8_t *mask, int width, int height, const float a[2], const float b[2], float radius) {
    int first = clamp(fminf(a[1], b[1]) - radius, height - 1), last = clamp(fmaxf(a[1], b[1]) + radius, height - 1);
    for (int y = first; y <= last; y++) {
        struct stretch s = covered(a, b, radius, (float)y + 0.5f); /* of pixels' centres */
        float lo = ceilf(s.lo - 0.5f), hi = floorf(s.hi - 0.5f);
        if (!(lo <= hi) || hi < 0 || lo >= (float)width)
            continue;
        int from = clamp(lo, width - 1), to = clamp(hi, width - 1);
        memset(mask + (size_t)y * (size_t)width + from, 1, (size_t)(to - from) + 1);
    }
}

void lp_stroke_fill(uint8_t *mask, int width, int height, const float (*xy)[2], int n, float radius) {
    for (int i = 0; i < n; i++) {
        if (xy[i][0] >= 0 && xy[i][1] >= 0 && xy[i][0] <= (float)width && xy[i][1] <= (float)height)
            mask[(size_t)clamp(xy[i][1], height - 1) * (size_t)width + (size_t)clamp(xy[i][0], width - 1)] = 1;
        fill_segment(mask, width, height, xy[i], xy[i + 1 < n ? i + 1 : i], radius);
    }
}

bool lp_mask_box(const uint8_t *mask, int width, int height, float box[4]) {
    int x0 = width, x1 = -1, y0 = height, y1 = -1;
    for (int y = 0; y < height; y++) {
        const uint8_t *row = mask + (size_t)y * (size_t)width, *at = memchr(row, 1, (size_t)width);
        if (!at)
            continue;
        const uint8_t *end = memrchr(row, 1, (size_t)width);
        x0 = at - row < x0 ? (int)(at - row) : x0;
        x1 = end - row > x1 ? (int)(end - row) : x1;
        y0 = y < y0 ? y : y0;
        y1 = y;
    }
    if (y1 < 0)
        return false;
    box[0] = (float)x0 / (float)width;
    box[1] = (float)y0 / (float)height;
    box[2] = (float)(x1 + 1) / (float)width;
    box[3] = (float)(y1 + 1) / (float)height;
    return true;
}
