/* SPDX-License-Identifier: MIT */
/* data/stickers.c - the table of names, pictograms from the emoji font, shapes from formulas, and their colours. */
#include "data/stickers.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/wording.h"
#include "image/emoji.h"

#include <limits.h>
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
static int measure_color(const uint8_t *rgba, size_t pixels) {
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

/* Half the side for each level below the first. */
static void make_levels(struct lp_sticker *s) {
    for (int l = 1; l < LP_STICKER_LEVELS; l++) {
        int n = LP_STICKER_SIDE >> l;
        for (int y = 0; y < n; y++)
            for (int x = 0; x < n; x++)
                for (int c = 0; c < 4; c++) {
                    const uint8_t *from = s->level[l - 1] + 4 * ((size_t)(2 * y) * (size_t)(2 * n) + (size_t)(2 * x)) + c;
                    s->level[l][4 * (y * n + x) + c] =
                        (uint8_t)((from[0] + from[4] + from[8 * n] + from[8 * n + 4] + 2) / 4);
                }
    }
}

/* A pictogram [h,w,4] onto the square, its longest side filling it; bilinear. */
static void fit(struct lp_sticker *s, const struct lp_emoji *e) {
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

static const struct {
    const char *name, *synonym;
    bool (*inside)(float x, float y);
} shapes[] = {{"circle", "disc, round", circle}, {"square", "block", square},     {"triangle", "", triangle},
              {"star", "", star},                {"heart", "", heart},            {"diamond", "rhombus", diamond},
              {"hexagon", "", hexagon},          {"cross", "plus sign", cross},   {"hoop", "annulus", hoop}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* White, 4 x 4 samples a pixel: tinting gives the colour. */
static void draw_shape(struct lp_sticker *s, bool (*inside)(float, float)) {
    const float side = 4 * LP_STICKER_SIDE;
    for (int y = 0; y < LP_STICKER_SIDE; y++)
        for (int x = 0; x < LP_STICKER_SIDE; x++) {
            int hits = 0;
            for (int k = 0; k < 16; k++)
                hits += inside(2 * ((float)(4 * x + k % 4) + 0.5f) / side - 1, 2 * ((float)(4 * y + k / 4) + 0.5f) / side - 1);
            memset(s->level[0] + 4 * (y * LP_STICKER_SIDE + x), hits * 255 / 16, 4);
        }
}

/* ---- the table ---- */

static char *trim(char *text) {
    while (*text == ' ')
        text++;
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\r'))
        text[--n] = 0;
    return text;
}

static const char *number(struct lp_arena *arena, const char *name, bool plural) {
    struct lp_str out = {0};
    lp_wording_number(name, plural, &out);
    const char *text = out.failed ? NULL : lp_arena_strdup(arena, lp_str_text(&out));
    lp_str_done(&out);
    return text;
}

/* Names, synonyms and room for the pixels. `synonyms` is cut up. */
static bool add(struct lp_stickers *all, const char *name, char *synonyms, const char *supercategory, struct lp_error *err) {
    enum { MOST = 8 };
    struct lp_sticker *s = &all->item[all->count];
    const char **list = lp_arena_array(&all->arena, MOST + 1, sizeof *list);
    char *rest = synonyms;
    for (int n = 0; list && n < MOST && rest;) {
        char *comma = strchr(rest, ',');
        if (comma)
            *comma = 0;
        char *word = trim(rest);
        if (*word)
            list[n++] = lp_arena_strdup(&all->arena, word);
        rest = comma ? comma + 1 : NULL;
    }
    *s = (struct lp_sticker){.name = number(&all->arena, name, false), .plural = number(&all->arena, name, true),
                             .supercategory = lp_arena_strdup(&all->arena, supercategory), .synonym = list};
    bool ok = list && s->name && s->plural && s->supercategory;
    for (int l = 0; ok && l < LP_STICKER_LEVELS; l++)
        ok = (s->level[l] = lp_arena_array(&all->arena, (size_t)(LP_STICKER_SIDE >> l), (size_t)(LP_STICKER_SIDE >> l) * 4));
    all->count += ok;
    return ok || lp_error_memory(err);
}

static bool tints(const char *supercategory) {
    static const char *const kinds[] = {"vehicle", "clothes", "furniture", "tool", "thing", "music", "device", NULL};
    for (int i = 0; kinds[i]; i++)
        if (!strcmp(kinds[i], supercategory))
            return true;
    return false;
}

static bool add_line(struct lp_stickers *all, char *line, struct lp_error *err) {
    char *part[4], *at = line;
    for (int i = 0; i < 4; i++) {
        char *bar = strchr(at, '|');
        if (!bar != (i == 3))
            return lp_error_set(err, LP_EINPUT, "a line is: emoji | name | synonyms | supercategory");
        if (bar)
            *bar = 0;
        part[i] = trim(at);
        at = bar + 1;
    }
    struct lp_emoji e;
    if (!lp_emoji_make(&e, part[0], err))
        return false;
    bool ok = add(all, part[1], part[2], part[3], err);
    if (ok) {
        struct lp_sticker *s = &all->item[all->count - 1];
        fit(s, &e);
        make_levels(s);
        s->color = measure_color(e.rgba, (size_t)e.width * (size_t)e.height);
        s->tints = tints(s->supercategory);
    }
    lp_emoji_done(&e);
    return ok;
}

static bool add_shapes(struct lp_stickers *all, struct lp_error *err) {
    for (int i = 0; i < SHAPES; i++) {
        char synonyms[64];
        strcpy(synonyms, shapes[i].synonym);
        if (!add(all, shapes[i].name, synonyms, "shape", err))
            return false;
        struct lp_sticker *s = &all->item[all->count - 1];
        s->shape = true;
        s->color = WHITE;
        draw_shape(s, shapes[i].inside);
        make_levels(s);
    }
    return true;
}

static bool read_table(struct lp_stickers *all, char *text, const char *path, struct lp_error *err) {
    size_t lines = 1, line = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    all->item = lp_arena_array(&all->arena, lines + SHAPES, sizeof *all->item);
    if (!all->item)
        return lp_error_memory(err);
    for (char *next = text; next;) {
        char *at = next, *end = strchr(at, '\n');
        if (end)
            *end = 0;
        next = end ? end + 1 : NULL;
        line++;
        if (*at && *at != '#' && !add_line(all, at, err))
            return lp_error_prefix(err, "%s, line %zu", path, line);
    }
    return add_shapes(all, err);
}

struct lp_stickers *lp_stickers_open(const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    size_t n;
    struct lp_stickers *all = lp_alloc(sizeof *all);
    if (!all)
        lp_error_memory(err);
    char *text = all && lp_file_join(path, sizeof path, folder, "stickers.txt", err)
                     ? lp_file_read(path, (size_t)1 << 20, &n, err) : NULL;
    bool ok = text && read_table(all, text, path, err);
    lp_free(text);
    if (ok)
        return all;
    lp_stickers_close(all);
    return NULL;
}

void lp_stickers_close(struct lp_stickers *all) {
    if (!all)
        return;
    lp_arena_done(&all->arena);
    lp_free(all);
}

const char *lp_stickers_folder(void) {
    return LP_SOURCE_DIR "/data/scenes";
}
