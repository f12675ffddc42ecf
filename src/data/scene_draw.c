/* SPDX-License-Identifier: MIT */
/* data/scene_draw.c - a scene as pixels: background, shadows, stickers from far to near, light, noise. */
#include "data/scene.h"

#include "base/memory.h"
#include "data/scene_card.h"

#include <math.h>
#include <string.h>

enum { PLAIN, GRAIN, WAVES, PLANKS, TILES };

const struct lp_backdrop lp_backdrops[] = {
    {"beach", "on a beach", {"sky", "sand"},
     {{120, 190, 235}, {200, 232, 245}}, {{238, 214, 160}, {222, 190, 128}}, {0.3f, 0.5f}, GRAIN},
    {"meadow", "in a meadow", {"sky", "grass"},
     {{135, 200, 250}, {225, 242, 250}}, {{140, 190, 90}, {88, 150, 62}}, {0.25f, 0.5f}, GRAIN},
    {"snow", "in the snow", {"sky", "snow"},
     {{170, 195, 220}, {215, 225, 235}}, {{244, 247, 250}, {222, 230, 240}}, {0.3f, 0.5f}, GRAIN},
    {"sea", "at sea", {"sky", "water"},
     {{150, 205, 240}, {225, 240, 248}}, {{50, 120, 180}, {24, 80, 140}}, {0.25f, 0.45f}, WAVES},
    {"desert", "in a desert", {"sky", "sand"},
     {{245, 205, 140}, {250, 232, 190}}, {{214, 160, 92}, {186, 130, 70}}, {0.35f, 0.55f}, WAVES},
    {"street", "on a street", {"sky", "road"},
     {{190, 200, 210}, {225, 225, 225}}, {{120, 120, 124}, {92, 92, 98}}, {0.35f, 0.55f}, GRAIN},
    {"night", "at night", {"sky", "ground"},
     {{10, 12, 40}, {40, 40, 90}}, {{34, 40, 50}, {18, 22, 30}}, {0.5f, 0.7f}, GRAIN},
    {"sunset", "at sunset", {"sky", "ground"},
     {{90, 60, 120}, {250, 150, 90}}, {{100, 60, 70}, {56, 36, 48}}, {0.45f, 0.65f}, PLAIN},
    {"room", "in a room", {"wall", "floor"},
     {{232, 222, 200}, {222, 208, 184}}, {{176, 128, 84}, {146, 100, 62}}, {0.5f, 0.7f}, PLANKS},
    {"kitchen", "in a kitchen", {"wall", "floor"},
     {{228, 238, 236}, {214, 228, 226}}, {{200, 206, 208}, {176, 184, 188}}, {0.45f, 0.65f}, TILES},
    {"table", "on a table", {"wall", "table"},
     {{206, 190, 214}, {190, 176, 200}}, {{166, 112, 66}, {130, 84, 46}}, {0.15f, 0.3f}, PLANKS},
    {"wall", "in front of a wall", {"wall", "wall"},
     {{196, 214, 190}, {176, 196, 172}}, {{196, 214, 190}, {176, 196, 172}}, {1, 1}, PLAIN},
    {"forest", "in a forest", {"trees", "ground"},
     {{60, 110, 70}, {110, 150, 96}}, {{86, 80, 50}, {60, 58, 36}}, {0.4f, 0.6f}, GRAIN},
    {"sky", "in the sky", {"sky", "sky"},
     {{80, 150, 230}, {190, 222, 246}}, {{190, 222, 246}, {190, 222, 246}}, {1, 1}, PLAIN},
};
const int lp_backdrop_count = sizeof lp_backdrops / sizeof *lp_backdrops;

/* A square of the lattice: its values are kept, as neighbouring pixels ask for the same ones. */
struct cell {
    int x, y;
    float corner[4];
    bool known;
};

static void enter(struct cell *cell, int x, int y, uint64_t seed) {
    if (cell->known && cell->x == x && cell->y == y)
        return;
    for (int k = 0; k < 4; k++) {
        uint64_t h = seed ^ ((uint64_t)(uint32_t)(x + k % 2) * 0x9e3779b97f4a7c15u) ^ ((uint64_t)(uint32_t)(y + k / 2) * 0xc2b2ae3d27d4eb4fu);
        h = (h ^ (h >> 31)) * 0xbf58476d1ce4e5b9u;
        cell->corner[k] = (float)(h >> 40) / 8388608.0f - 1;
    }
    cell->x = x;
    cell->y = y;
    cell->known = true;
}

/* Smooth noise in -1..1 on a lattice of hashed corners. The cell is the caller's, one a lattice, zero at first. */
static float noise(float x, float y, uint64_t seed, struct cell *cell) {
    float left = floorf(x), top = floorf(y), u = x - left, v = y - top;
    enter(cell, (int)left, (int)top, seed);
    const float *corner = cell->corner;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    return (corner[0] * (1 - u) + corner[1] * u) * (1 - v) + (corner[2] * (1 - u) + corner[3] * u) * v;
}

/* Brightness of the texture at (x,y), 0..1 of the side: about 1. */
static float texture(int kind, float x, float y, uint64_t seed, struct cell cell[2]) {
    switch (kind) {
    case GRAIN:
        return 1 + 0.07f * noise(40 * x, 40 * y, seed, &cell[0]) + 0.05f * noise(9 * x, 9 * y, seed + 1, &cell[1]);
    case WAVES:
        return 1 + 0.08f * sinf(60 * y + 4 * noise(5 * x, 5 * y, seed, &cell[0]));
    case PLANKS: {
        float f = 9 * y - floorf(9 * y);
        return (f < 0.06f ? 0.8f : 1) * (1 + 0.05f * noise(6 * x, 90 * y, seed, &cell[0]));
    }
    case TILES: {
        float fx = 7 * x - floorf(7 * x), fy = 7 * y - floorf(7 * y);
        return fx < 0.06f || fy < 0.06f ? 0.84f : 1;
    }
    default:
        return 1 + 0.03f * noise(4 * x, 4 * y, seed, &cell[0]);
    }
}

static void draw_backdrop(const struct lp_scene *scene, int side, float *rgb, int8_t *owner) {
    const struct lp_backdrop *b = &lp_backdrops[scene->backdrop];
    struct cell over[2] = {{0}}, under[2] = {{0}};
    for (int j = 0; j < side; j++)
        for (int i = 0; i < side; i++) {
            float x = ((float)i + 0.5f) / (float)side, y = ((float)j + 0.5f) / (float)side, h = scene->horizon;
            bool above = y < h;
            owner[j * side + i] = above ? LP_SCENE_ABOVE : LP_SCENE_BELOW;
            float t = above ? y / h : (y - h) / (1 - h);
            float tone = above ? texture(PLAIN, x, y, scene->seed, over) : texture(b->texture, x, y, scene->seed, under);
            for (int c = 0; c < 3; c++) {
                float from = above ? b->above[0][c] : b->below[0][c], to = above ? b->above[1][c] : b->below[1][c];
                rgb[3 * (j * side + i) + c] = (from + (to - from) * t) * tone;
            }
        }
}

/* ---- stickers ---- */

static void sample(const uint8_t *level, int n, float u, float v, float rgba[4]) {
    int u0 = (int)floorf(u), v0 = (int)floorf(v);
    float du = u - (float)u0, dv = v - (float)v0;
    for (int c = 0; c < 4; c++)
        rgba[c] = 0;
    for (int k = 0; k < 4; k++) {
        int i = u0 + k % 2, j = v0 + k / 2;
        float w = (k % 2 ? du : 1 - du) * (k / 2 ? dv : 1 - dv) / 255;
        if (i < 0 || j < 0 || i >= n || j >= n)
            continue;
        for (int c = 0; c < 4; c++)
            rgba[c] += w * (float)level[4 * (j * n + i) + c];
    }
}

/* The tone in the sticker's own lights and shadows. */
static void tint(const struct lp_scene_item *item, bool shape, float rgba[4]) {
    float light = shape ? rgba[3] : 0.45f * rgba[3] + 0.65f * (0.3f * rgba[0] + 0.59f * rgba[1] + 0.11f * rgba[2]);
    for (int c = 0; c < 3; c++)
        rgba[c] = fminf(rgba[3], light * (float)item->tone[c] / 255);
}

/* A figure's tone where it is toned, and the part there. */
static int dress(const struct lp_scene_item *item, const struct lp_sticker *s, int level, float u, float v, float rgba[4]) {
    int n = LP_STICKER_SIDE >> level, u0 = (int)floorf(u), v0 = (int)floorf(v);
    float toned = 0, du = u - (float)u0, dv = v - (float)v0;
    for (int k = 0; k < 4; k++) {
        int i = u0 + k % 2, j = v0 + k / 2;
        if (i >= 0 && j >= 0 && i < n && j < n)
            toned += (k % 2 ? du : 1 - du) * (k / 2 ? dv : 1 - dv) * (float)s->tone[level][j * n + i] / 255;
    }
    for (int c = 0; c < 3; c++)
        rgba[c] += toned * (float)item->tone[c] / 255;
    int x = (int)((u + 0.5f) * (float)(1 << level)), y = (int)((v + 0.5f) * (float)(1 << level));
    bool in = x >= 0 && y >= 0 && x < LP_STICKER_SIDE && y < LP_STICKER_SIDE;
    return in ? s->map[y * LP_STICKER_SIDE + x] : 0;
}

void lp_scene_visit(const struct lp_scene_item *item, const struct lp_sticker *s, int side, lp_scene_visitor *visit,
                    void *context) {
    float px = item->size * (float)side, reach = 0.71f * px + 1, cx = item->x * (float)side, cy = item->y * (float)side;
    float co = cosf(item->angle), si = sinf(item->angle);
    int l = 0;
    while (l + 1 < LP_STICKER_LEVELS && px < 0.75f * (float)(LP_STICKER_SIDE >> l))
        l++;
    int n = LP_STICKER_SIDE >> l;
    float scale = (float)n / px;
    for (int y = (int)floorf(cy - reach); (float)y < cy + reach; y++)
        for (int x = (int)floorf(cx - reach); (float)x < cx + reach; x++) {
            float dx = (float)x + 0.5f - cx, dy = (float)y + 0.5f - cy, rgba[4];
            float u = (co * dx + si * dy) * scale, v = (co * dy - si * dx) * scale;
            u = (item->flipped ? -u : u) + 0.5f * (float)n - 0.5f;
            v += 0.5f * (float)n - 0.5f;
            sample(s->level[l], n, u, v, rgba);
            if (rgba[3] <= 0.004f)
                continue;
            int part = s->map ? dress(item, s, l, u, v, rgba) : 0;
            if (item->tinted && !s->map)
                tint(item, s->shape, rgba);
            visit(context, x, y, rgba, part);
        }
}

struct canvas {
    float *rgb;
    struct lp_scene_view *view;
    int side;
    int8_t now;
};

static void shade(void *context, int x, int y, const float rgba[4], int part) {
    struct canvas *c = context;
    (void)part;
    if (x < 0 || y < 0 || x >= c->side || y >= c->side)
        return;
    for (int k = 0; k < 3; k++)
        c->rgb[3 * ((size_t)y * (size_t)c->side + (size_t)x) + (size_t)k] *= 1 - 0.22f * rgba[3];
}

static void paint(void *context, int x, int y, const float rgba[4], int part) {
    struct canvas *c = context;
    if (x < 0 || y < 0 || x >= c->side || y >= c->side)
        return;
    size_t at = (size_t)y * (size_t)c->side + (size_t)x;
    for (size_t k = 0; k < 3; k++)
        c->rgb[3 * at + k] = c->rgb[3 * at + k] * (1 - rgba[3]) + 255 * rgba[k];
    if (rgba[3] > 0.5f) {
        c->view->owner[at] = c->now;
        c->view->part[at] = (uint8_t)part;
    }
}

static void finish(const struct lp_scene *scene, const float *rgb, struct lp_image *image) {
    struct lp_rng rng;
    lp_rng_seed(&rng, scene->seed);
    size_t pixels = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < pixels; i++) {
        float grain = scene->grain * (lp_rng_float(&rng) + lp_rng_float(&rng) - 1) * 1.7f;
        for (int c = 0; c < 3; c++) {
            float v = rgb[3 * i + (size_t)c] * scene->gain * scene->cast[c] + grain;
            image->pixel[3 * i + (size_t)c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5f);
        }
    }
}

static void draw_items(const struct lp_scene *scene, const struct lp_stickers *stickers, struct canvas *c) {
    for (int i = 0; i < scene->items; i++) {
        const struct lp_scene_item *item = &scene->item[i];
        struct lp_scene_item shadow = *item;
        shadow.x += 0.012f;
        shadow.y += 0.018f;
        c->now = (int8_t)i;
        lp_scene_visit(&shadow, &stickers->item[item->sticker], c->side, shade, c);
        lp_scene_visit(item, &stickers->item[item->sticker], c->side, paint, c);
    }
}

bool lp_scene_draw(struct lp_scene_view *view, const struct lp_scene *scene, const struct lp_stickers *stickers, int side,
                   struct lp_error *err) {
    size_t pixels = (size_t)side * (size_t)side;
    *view = (struct lp_scene_view){.image = lp_image_new(side, side, err)};
    if (!view->image)
        return false;
    view->owner = lp_alloc(pixels);
    view->part = lp_alloc(pixels);
    struct canvas c = {lp_alloc_array(pixels, 3 * sizeof(float)), view, side, 0};
    bool ok = (c.rgb && view->owner && view->part) || lp_error_memory(err);
    if (ok) {
        draw_backdrop(scene, side, c.rgb, view->owner);
        for (int i = 0; ok && i < scene->cards; i++)
            ok = lp_scene_card_draw(&scene->card[i], view, c.rgb, err);
        draw_items(scene, stickers, &c);
        finish(scene, c.rgb, view->image);
    }
    lp_free(c.rgb);
    return ok;
}

void lp_scene_view_done(struct lp_scene_view *view) {
    lp_image_close(view->image);
    lp_free(view->owner);
    lp_free(view->part);
    *view = (struct lp_scene_view){0};
}
