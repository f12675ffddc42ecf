/* SPDX-License-Identifier: MIT */
/* data/scene.c - what stands where. */
#include "data/scene.h"

#include <math.h>
#include <string.h>

static const float most_hidden = 0.25f;

static float between(struct lp_rng *rng, float lo, float hi) {
    return lo + (hi - lo) * lp_rng_float(rng);
}

/* ---- how much is hidden: layouts are tried on a coarse grid ---- */

enum { COARSE = 64 };

struct cover {
    int8_t owner[COARSE * COARSE], before[COARSE * COARSE];
    int ink[LP_SCENE_ITEMS], now;
    bool cut; /* some ink falls outside the picture */
};

static void cover_pixel(void *context, int x, int y, const float rgba[4]) {
    struct cover *c = context;
    if (rgba[3] <= 0.5f)
        return;
    c->ink[c->now]++;
    if (x < 0 || y < 0 || x >= COARSE || y >= COARSE)
        c->cut = true;
    else
        c->owner[y * COARSE + x] = (int8_t)c->now;
}

/* Puts item `now` on top. False, and nothing changes, where that hides too much of another or leaves the picture. */
static bool place(struct cover *c, const struct lp_scene *scene, const struct lp_stickers *stickers, int now) {
    memcpy(c->before, c->owner, sizeof c->owner);
    c->now = now;
    c->ink[now] = 0;
    c->cut = false;
    const struct lp_scene_item *item = &scene->item[now];
    lp_scene_visit(item, &stickers->item[item->sticker], COARSE, cover_pixel, c);
    int seen[LP_SCENE_ITEMS] = {0};
    for (int i = 0; i < COARSE * COARSE; i++)
        if (c->owner[i] >= 0)
            seen[c->owner[i]]++;
    bool fits = !c->cut && c->ink[now] > 0;
    for (int i = 0; fits && i < now; i++)
        fits = (float)seen[i] >= (1 - most_hidden) * (float)c->ink[i];
    if (!fits)
        memcpy(c->owner, c->before, sizeof c->owner);
    return fits;
}

/* ---- what there is ---- */

static void color_item(struct lp_scene_item *item, const struct lp_sticker *s, struct lp_rng *rng) {
    item->color = s->color;
    item->tinted = s->shape || (s->tints && lp_rng_below(rng, 100) < 25);
    if (!item->tinted)
        return;
    item->color = (int)lp_rng_below(rng, LP_COLORS);
    for (int c = 0; c < 3; c++) {
        float tone = (float)lp_color_rgb[item->color][c] + between(rng, -14, 14);
        item->tone[c] = (uint8_t)(tone < 0 ? 0 : tone > 255 ? 255 : tone);
    }
}

static int pick_sticker(const struct lp_stickers *stickers, struct lp_rng *rng) {
    int shapes = 0;
    for (int i = 0; i < stickers->count; i++)
        shapes += stickers->item[i].shape;
    int others = stickers->count - shapes;
    return lp_rng_below(rng, 100) < 12 && shapes ? others + (int)lp_rng_below(rng, (uint32_t)shapes)
                                                 : (int)lp_rng_below(rng, (uint32_t)others);
}

/* One to three kinds, each at least once; sizes are a kind's own, give or take a sixth. */
static void choose(struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng) {
    static const uint8_t numbers[] = {1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6};
    int n = numbers[lp_rng_below(rng, sizeof numbers)], kinds = 1 + (int)lp_rng_below(rng, 4);
    kinds = kinds > n ? n : kinds;
    struct lp_scene_item kind[LP_SCENE_ITEMS];
    float largest = n <= 2 ? 0.5f : n <= 4 ? 0.4f : 0.32f;
    for (int k = 0; k < kinds; k++) {
        kind[k] = (struct lp_scene_item){.sticker = pick_sticker(stickers, rng), .size = between(rng, 0.2f, largest)};
        color_item(&kind[k], &stickers->item[kind[k].sticker], rng);
    }
    for (int i = 0; i < n; i++) {
        struct lp_scene_item *item = &scene->item[i];
        *item = kind[i < kinds ? i : (int)lp_rng_below(rng, (uint32_t)kinds)];
        item->size *= between(rng, 0.86f, 1.16f);
        item->angle = lp_rng_below(rng, 3) ? between(rng, -0.42f, 0.42f) : 0;
        item->flipped = lp_rng_below(rng, 2);
    }
    for (int i = n - 1; i > 0; i--) { /* kinds mixed in depth */
        int j = (int)lp_rng_below(rng, (uint32_t)i + 1);
        struct lp_scene_item kept = scene->item[i];
        scene->item[i] = scene->item[j];
        scene->item[j] = kept;
    }
    scene->items = n;
}

void lp_scene_make(struct lp_scene *scene, const struct lp_stickers *stickers, uint64_t seed, int64_t number) {
    struct lp_rng rng;
    lp_rng_seed(&rng, seed * 0x9e3779b97f4a7c15u + (uint64_t)number);
    *scene = (struct lp_scene){.backdrop = (int)lp_rng_below(&rng, (uint32_t)lp_backdrop_count), .seed = lp_rng_next(&rng)};
    const struct lp_backdrop *b = &lp_backdrops[scene->backdrop];
    scene->horizon = between(&rng, b->horizon[0], b->horizon[1]);
    scene->gain = between(&rng, 0.82f, 1.12f);
    scene->grain = between(&rng, 0, 5);
    for (int c = 0; c < 3; c++)
        scene->cast[c] = between(&rng, 0.95f, 1.05f);
    choose(scene, stickers, &rng);
    struct cover cover;
    memset(cover.owner, -1, sizeof cover.owner);
    int kept = 0;
    for (int i = 0; i < scene->items; i++) {
        bool fits = false;
        scene->item[kept] = scene->item[i];
        struct lp_scene_item *item = &scene->item[kept];
        for (int tries = 0; tries < 24 && !fits; tries++) {
            float margin = 0.45f * item->size;
            item->x = between(&rng, margin, 1 - margin);
            item->y = between(&rng, margin, 1 - margin);
            fits = place(&cover, scene, stickers, kept);
            item->size *= fits || tries < 12 ? 1 : 0.97f;
        }
        kept += fits;
    }
    scene->items = kept;
}
