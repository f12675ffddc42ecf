/* SPDX-License-Identifier: MIT */
/* data/sticker_pixels.c - pictograms, shapes and figures as squares of pixels, and the names of colours. */
#include "data/sticker_pixels.h"

#include <math.h>
#include <string.h>

const char *const lp_color_names[LP_COLORS] = {"red",  "orange", "yellow", "green", "blue", "purple",
                                               "pink", "brown",  "black",  "white", "gray"};
const uint8_t lp_color_rgb[LP_COLORS][3] = {{214, 34, 38},   {245, 130, 25}, {250, 212, 35},  {46, 150, 62},
                                            {38, 98, 214},   {128, 52, 170}, {246, 130, 178}, {120, 74, 40},
                                            {24, 24, 26},    {248, 248, 246}, {136, 138, 140}};

enum { RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK, BROWN, BLACK, WHITE, GRAY };

int lp_color_nearest(const uint8_t rgb[3]) {
    float r = rgb[0] / 255.0f, g = rgb[1] / 255.0f, b = rgb[2] / 255.0f;
    float v = fmaxf(r, fmaxf(g, b)), range = v - fminf(r, fminf(g, b)), s = v > 0 ? range / v : 0;
    if (v < 0.22f || (v < 0.32f && s < 0.4f))
        return BLACK;
    if (s < 0.16f)
        return v > 0.86f ? WHITE : GRAY;
    float hue = v == r ? (g - b) / range : v == g ? 2 + (b - r) / range : 4 + (r - g) / range; /* 0..6 from red */
    float degrees = 60 * (hue < 0 ? hue + 6 : hue);
    if (degrees < 48 && degrees >= 8 && v < 0.68f)
        return BROWN;
    if (degrees < 14 || degrees >= 346)
        return s < 0.55f && v > 0.75f ? PINK : RED;
    return degrees < 42 ? ORANGE : degrees < 70 ? YELLOW : degrees < 170 ? GREEN : degrees < 255 ? BLUE
           : degrees < 290 ? PURPLE : v < 0.55f ? PURPLE : PINK;
}

/* The colour of at least 55 % of the ink, or -1. */
static int measure(const uint8_t *rgba, size_t pixels) {
    size_t ink = 0, votes[LP_COLORS] = {0};
    for (size_t i = 0; i < pixels; i++)
        if (rgba[4 * i + 3] > 200) {
            ink++;
            votes[lp_color_nearest(rgba + 4 * i)]++;
        }
    for (int c = 0; c < LP_COLORS; c++)
        if (ink && votes[c] * 100 >= ink * 55)
            return c;
    return -1;
}

/* ---- pixels ---- */

/* Half the side for each level below the first; values [side,side,channels]. */
static void make_levels(uint8_t *const level[LP_STICKER_LEVELS], int channels) {
    for (int l = 1; l < LP_STICKER_LEVELS; l++) {
        int n = LP_STICKER_SIDE >> l, row = 2 * n * channels;
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++)
                for (int c = 0; c < channels; c++) {
                    const uint8_t *from = level[l - 1] + 2 * y * row + 2 * x * channels + c;
                    level[l][(y * n + x) * channels + c] =
                        (uint8_t)((from[0] + from[channels] + from[row] + from[row + channels] + 2) / 4);
                }
    }
}

/* Bilinear. */
void lp_sticker_fit(struct lp_sticker *s, const struct lp_emoji *e) {
    float scale = (float)(e->width > e->height ? e->width : e->height) / LP_STICKER_SIDE;
    for (int y = 0; y < LP_STICKER_SIDE; y++)
        for (int x = 0; x < LP_STICKER_SIDE; x++) {
            float u = ((float)x + 0.5f - 0.5f * LP_STICKER_SIDE) * scale + 0.5f * (float)e->width - 0.5f;
            float v = ((float)y + 0.5f - 0.5f * LP_STICKER_SIDE) * scale + 0.5f * (float)e->height - 0.5f;
            int u0 = (int)floorf(u), v0 = (int)floorf(v);
            float sum[4] = {0};
            for (int k = 0; k < 4; k++) {
                int i = u0 + k % 2, j = v0 + k / 2;
                float w = (k % 2 ? u - (float)u0 : 1 - u + (float)u0) * (k / 2 ? v - (float)v0 : 1 - v + (float)v0);
                if (i < 0 || j < 0 || i >= e->width || j >= e->height)
                    continue;
                const uint8_t *p = e->rgba + 4 * ((size_t)j * (size_t)e->width + (size_t)i);
                for (int c = 0; c < 3; c++)
                    sum[c] += w * (float)p[c] * (float)p[3] / 255;
                sum[3] += w * (float)p[3];
            }
            for (int c = 0; c < 4; c++)
                s->level[0][4 * (y * LP_STICKER_SIDE + x) + c] = (uint8_t)(sum[c] + 0.5f);
        }
    make_levels(s->level, 4);
    s->color = measure(e->rgba, (size_t)e->width * (size_t)e->height);
}

/* Plain shapes as "inside" on [-1,1]^2, y downwards. */
static bool polygon(float x, float y, int corners, float turn) {
    float step = 6.2831853f / (float)corners, angle = atan2f(x, -y) + turn;
    angle -= step * floorf(angle / step) + 0.5f * step;
    return hypotf(x, y) * cosf(angle) < cosf(0.5f * step);
}

static bool circle(float x, float y) {
    return x * x + y * y < 1;
}
static bool square(float x, float y) {
    return fabsf(x) < 0.92f && fabsf(y) < 0.92f;
}
static bool triangle(float x, float y) {
    return polygon(x, y - 0.2f, 3, 0);
}
static bool star(float x, float y) {
    float step = 1.2566371f, angle = atan2f(x, -y);
    angle = fabsf(angle - step * roundf(angle / step));
    return hypotf(x, y) * (cosf(angle) + 1.3f * sinf(angle)) < 1;
}
static bool heart(float x, float y) {
    float u = 1.2f * fabsf(x), v = -1.2f * y + 0.1f, a = u * u + v * v - 1;
    return a * a * a - u * u * v * v * v < 0;
}
static bool diamond(float x, float y) {
    return fabsf(x) / 0.72f + fabsf(y) < 1;
}
static bool hexagon(float x, float y) {
    return polygon(x, y, 6, 0);
}
static bool cross(float x, float y) {
    return (fabsf(x) < 0.34f || fabsf(y) < 0.34f) && fabsf(x) < 0.96f && fabsf(y) < 0.96f;
}
static bool hoop(float x, float y) {
    float d = hypotf(x, y);
    return d < 1 && d > 0.55f;
}

const struct lp_shape lp_shapes[LP_SHAPES] = {
    {"circle", "disc, round", circle}, {"square", "block", square},   {"triangle", "", triangle},
    {"star", "", star},                {"heart", "", heart},          {"diamond", "rhombus", diamond},
    {"hexagon", "", hexagon},          {"cross", "plus sign", cross}, {"hoop", "annulus", hoop}};

/* 4 x 4 samples a pixel. */
void lp_sticker_shape(struct lp_sticker *s, const struct lp_shape *shape) {
    const float side = 4 * LP_STICKER_SIDE;
    for (int y = 0; y < LP_STICKER_SIDE; y++)
        for (int x = 0; x < LP_STICKER_SIDE; x++) {
            int hits = 0;
            for (int k = 0; k < 16; k++)
                hits += shape->inside(2 * ((float)(4 * x + k % 4) + 0.5f) / side - 1,
                                      2 * ((float)(4 * y + k / 4) + 0.5f) / side - 1);
            memset(s->level[0] + 4 * (y * LP_STICKER_SIDE + x), hits * 255 / 16, 4);
        }
    make_levels(s->level, 4);
    s->shape = true;
    s->color = WHITE;
}

void lp_sticker_figure(struct lp_sticker *s, const struct lp_figure *figure) {
    const struct lp_figure_layer *first[LP_FIGURE_PARTS];
    lp_figure_draw(figure, LP_STICKER_SIDE, s->level[0], s->tone[0], s->map);
    make_levels(s->level, 4);
    make_levels(s->tone, 1);
    s->colors = figure->colors;
    s->color = figure->color;
    s->parts = lp_figure_parts(figure, first);
    for (int k = 0; k < s->parts; k++)
        s->part_color[k] = first[k]->toned ? -1 : lp_color_nearest(first[k]->rgb);
}
