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

enum { COARSE = 64, FREE = -1, PRINT = -2 };

struct cover {
    int8_t owner[COARSE * COARSE], before[COARSE * COARSE];
    int ink[LP_SCENE_ITEMS], now;
    bool cut; /* some ink falls outside the picture, or on print */
};

static void cover_pixel(void *context, int x, int y, const float rgba[4], int part) {
    struct cover *c = context;
    (void)part;
    if (rgba[3] <= 0.5f)
        return;
    c->ink[c->now]++;
    if (x < 0 || y < 0 || x >= COARSE || y >= COARSE || c->owner[y * COARSE + x] == PRINT)
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

/* The squares that a card touches, with one around it. */
static void card_squares(const struct lp_scene_card *card, int box[4]) {
    const float edge[4] = {card->x * COARSE - 1, card->y * COARSE - 1, (card->x + card->width) * COARSE + 1,
                           (card->y + card->height) * COARSE + 1};
    for (int i = 0; i < 4; i++) {
        int at = (int)(i < 2 ? floorf(edge[i]) : ceilf(edge[i]));
        box[i] = at < 0 ? 0 : at > COARSE ? COARSE : at;
    }
}

static bool card_fits(const struct cover *c, const struct lp_scene_card *card) {
    int box[4];
    card_squares(card, box);
    bool fits = true;
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++)
            fits &= c->owner[y * COARSE + x] == FREE;
    return fits;
}

static void cover_card(struct cover *c, const struct lp_scene_card *card) {
    int box[4];
    card_squares(card, box);
    for (int y = box[1]; y < box[3]; y++)
        memset(c->owner + y * COARSE + box[0], PRINT, (size_t)(box[2] - box[0]));
}

/* The cover of a whole scene; false where an item does not fit. */
static bool cover_all(struct cover *c, const struct lp_scene *scene, const struct lp_stickers *stickers) {
    bool fits = true;
    memset(c->owner, FREE, sizeof c->owner);
    for (int i = 0; i < scene->cards; i++)
        cover_card(c, &scene->card[i]);
    for (int i = 0; i < scene->items; i++)
        fits = place(c, scene, stickers, i) && fits;
    return fits;
}

bool lp_scene_sound(const struct lp_scene *scene, const struct lp_stickers *stickers) {
    struct cover cover;
    return cover_all(&cover, scene, stickers);
}

/* Tries places for item `now`, smaller after a while. */
static bool seek(struct cover *c, struct lp_scene *scene, const struct lp_stickers *stickers, int now, struct lp_rng *rng) {
    struct lp_scene_item *item = &scene->item[now];
    bool fits = false;
    for (int tries = 0; tries < 24 && !fits; tries++) {
        float margin = 0.45f * item->size;
        item->x = between(rng, margin, 1 - margin);
        item->y = between(rng, margin, 1 - margin);
        fits = place(c, scene, stickers, now);
        item->size *= fits || tries < 12 ? 1 : 0.97f;
    }
    return fits;
}

bool lp_scene_add(struct lp_scene *scene, const struct lp_stickers *stickers, const struct lp_scene_item *item,
                  struct lp_rng *rng) {
    struct cover cover;
    if (scene->items == LP_SCENE_ITEMS || !cover_all(&cover, scene, stickers))
        return false;
    scene->item[scene->items] = *item;
    bool fits = seek(&cover, scene, stickers, scene->items, rng);
    scene->items += fits;
    return fits;
}

/* ---- what there is ---- */

void lp_scene_color(struct lp_scene_item *item, const struct lp_stickers *stickers, int color, struct lp_rng *rng) {
    const struct lp_sticker *s = &stickers->item[item->sticker];
    item->tinted = color >= 0;
    item->dye = color;
    item->color = s->colors && s->color >= 0 ? s->color : color >= 0 ? color : s->color;
    for (int c = 0; item->tinted && c < 3; c++) {
        float tone = (float)lp_color_rgb[color][c] + between(rng, -14, 14);
        item->tone[c] = (uint8_t)(tone < 0 ? 0 : tone > 255 ? 255 : tone);
    }
}

static void color_item(struct lp_scene_item *item, const struct lp_stickers *stickers, struct lp_rng *rng) {
    const struct lp_sticker *s = &stickers->item[item->sticker];
    bool tinted = s->shape || s->colors || (s->tints && lp_rng_below(rng, 100) < 25);
    int color = tinted ? (int)lp_rng_below(rng, LP_COLORS) : -1;
    while (s->colors && !(s->colors >> color & 1))
        color = (int)lp_rng_below(rng, LP_COLORS);
    lp_scene_color(item, stickers, color, rng);
}

int lp_scene_pick(const struct lp_stickers *stickers, struct lp_rng *rng) {
    uint32_t shapes = (uint32_t)(stickers->figures - stickers->plain);
    return lp_rng_below(rng, 100) < 12 && shapes ? stickers->plain + (int)lp_rng_below(rng, shapes)
                                                 : (int)lp_rng_below(rng, (uint32_t)stickers->plain);
}

/* One to four kinds, each at least once; sizes are a kind's own, give or take a sixth. */
static void choose(struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng) {
    static const uint8_t numbers[] = {1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6};
    int n = numbers[lp_rng_below(rng, sizeof numbers)], kinds = 1 + (int)lp_rng_below(rng, 4);
    kinds = kinds > n ? n : kinds;
    struct lp_scene_item kind[LP_SCENE_ITEMS];
    float largest = n <= 2 ? 0.5f : n <= 4 ? 0.4f : 0.32f;
    for (int k = 0; k < kinds; k++) {
        kind[k] = (struct lp_scene_item){.sticker = lp_scene_pick(stickers, rng), .size = between(rng, 0.2f, largest), .on = -1};
        color_item(&kind[k], stickers, rng);
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

/* Some scenes have a figure, or something to stand on, in place of one of their kinds. */
static void vary(struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng) {
    uint32_t die = lp_rng_below(rng, 100);
    int from = scene->item[lp_rng_below(rng, (uint32_t)scene->items)].sticker, to = -1;
    if (die < 14)
        to = stickers->figures + (int)lp_rng_below(rng, (uint32_t)(stickers->count - stickers->figures));
    for (int tries = 0; die >= 14 && die < 20 && tries < 200 && to < 0; tries++) {
        int i = (int)lp_rng_below(rng, (uint32_t)stickers->plain);
        to = stickers->item[i].support ? i : -1;
    }
    struct lp_scene_item kind = {.sticker = to, .on = -1};
    if (to >= 0)
        color_item(&kind, stickers, rng);
    for (int i = 0; i < scene->items; i++) {
        struct lp_scene_item *item = &scene->item[i];
        if (to >= 0 && item->sticker == from) {
            kind.size = item->size;
            kind.angle = item->angle;
            kind.flipped = item->flipped;
            *item = kind;
        }
        const struct lp_sticker *s = &stickers->item[item->sticker];
        item->angle *= s->support ? 0 : s->colors ? 0.4f : 1;
    }
}

/* ---- what stands on what ---- */

static void lowest_ink(void *context, int x, int y, const float rgba[4], int part) {
    int *lowest = context;
    (void)x, (void)part;
    if (rgba[3] > 0.5f && y > *lowest)
        *lowest = y;
}

/* Stands something on the first item that bears it, in front of everything. */
static void stand(struct cover *c, struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng) {
    int base = 0, now = scene->items;
    while (base < now && !stickers->item[scene->item[base].sticker].support)
        base++;
    if (base == now || now == LP_SCENE_ITEMS || lp_rng_below(rng, 100) < 25)
        return;
    const struct lp_scene_item *below = &scene->item[base];
    struct lp_scene_item *item = &scene->item[now];
    for (int tries = 0; tries < 8; tries++) {
        *item = (struct lp_scene_item){.sticker = lp_scene_pick(stickers, rng), .on = base, .y = 0.5f};
        color_item(item, stickers, rng);
        item->size = fmaxf(0.15f, below->size * between(rng, 0.45f, 0.75f));
        item->x = below->x + between(rng, -0.12f, 0.12f) * below->size;
        int lowest = 0, column = (int)(item->x * COARSE), top = 0;
        lp_scene_visit(item, &stickers->item[item->sticker], COARSE, lowest_ink, &lowest);
        while (top < COARSE && c->owner[top * COARSE + column] != base)
            top++;
        item->y = 0.5f + (float)(top - lowest - 1) / COARSE + 0.1f * below->size;
        if (top < COARSE && item->sticker != below->sticker && !stickers->item[item->sticker].support &&
            place(c, scene, stickers, now)) {
            scene->items++;
            return;
        }
    }
}

/* ---- cards ---- */

/* Paper, ink and font. */
static void dress_card(struct lp_scene_card *card, struct lp_rng *rng) {
    static const uint8_t looks[][2][3] = {
        {{255, 253, 245}, {30, 30, 36}},  {{250, 240, 200}, {60, 40, 30}},   {{236, 242, 250}, {24, 40, 90}},
        {{252, 250, 250}, {170, 24, 30}}, {{30, 90, 170}, {255, 255, 255}},  {{20, 118, 62}, {255, 255, 255}},
        {{188, 30, 36}, {255, 255, 255}}, {{250, 205, 40}, {24, 24, 24}},    {{36, 38, 44}, {250, 250, 240}},
        {{36, 38, 44}, {255, 220, 80}},   {{120, 76, 44}, {255, 246, 220}},  {{255, 255, 255}, {20, 90, 50}}};
    uint32_t look = lp_rng_below(rng, sizeof looks / sizeof *looks);
    memcpy(card->paper, looks[look][0], 3);
    memcpy(card->ink, looks[look][1], 3);
    card->font = (int)lp_rng_below(rng, 1000);
    card->framed = lp_rng_below(rng, 2);
}

static void hang_card(struct cover *c, struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng) {
    struct lp_scene_card *card = &scene->card[scene->cards];
    const char *sign = stickers->sign[lp_rng_below(rng, (uint32_t)stickers->signs)];
    lp_print_fill(sign, strlen(sign), stickers, rng, card->text, sizeof card->text);
    size_t longest = 0;
    int lines = 0;
    for (const char *line = card->text; line; lines++) {
        size_t n = strcspn(line, "\n");
        longest = n > longest ? n : longest;
        line = line[n] ? line + n + 1 : NULL;
    }
    dress_card(card, rng);
    float size = between(rng, 0.075f, 0.13f), most = 1.2f / (float)(longest + 2);
    for (int tries = 0; tries < 40; tries++) {
        float letter = fmaxf(0.06f, fminf(size, most));
        card->width = fminf(0.96f, letter * (0.68f * (float)longest + 1.1f));
        card->height = letter * (1.3f * (float)lines + 0.7f);
        card->x = between(rng, 0.02f, 0.98f - card->width);
        card->y = between(rng, 0.02f, 0.98f - card->height);
        if (card_fits(c, card)) {
            cover_card(c, card);
            scene->cards++;
            return;
        }
        size *= tries > 15 ? 0.97f : 1;
    }
}

void lp_scene_print(struct lp_scene *scene, const struct lp_stickers *stickers, const struct lp_pages *pages, struct lp_rng *rng) {
    struct lp_scene_card *card = &scene->card[0];
    scene->items = 0;
    scene->cards = 1;
    lp_pages_write(pages, stickers, rng, card->text, sizeof card->text);
    dress_card(card, rng);
    card->width = between(rng, 0.6f, 0.96f);
    card->height = between(rng, 0.7f, 0.98f);
    card->x = between(rng, 0, 1 - card->width);
    card->y = between(rng, 0, 1 - card->height);
}

void lp_scene_make(struct lp_scene *scene, const struct lp_stickers *stickers, uint64_t seed, int64_t number) {
    struct lp_rng rng, more; /* more: of what came later to scenes, so that the rest stays as it was */
    lp_rng_seed(&rng, seed * 0x9e3779b97f4a7c15u + (uint64_t)number);
    lp_rng_seed(&more, seed * 0xd1342543de82ef95u + (uint64_t)number);
    *scene = (struct lp_scene){.backdrop = (int)lp_rng_below(&rng, (uint32_t)lp_backdrop_count), .seed = lp_rng_next(&rng)};
    const struct lp_backdrop *b = &lp_backdrops[scene->backdrop];
    scene->horizon = between(&rng, b->horizon[0], b->horizon[1]);
    scene->gain = between(&rng, 0.82f, 1.12f);
    scene->grain = between(&rng, 0, 5);
    for (int c = 0; c < 3; c++)
        scene->cast[c] = between(&rng, 0.95f, 1.05f);
    choose(scene, stickers, &rng);
    vary(scene, stickers, &more);
    struct cover cover;
    memset(cover.owner, FREE, sizeof cover.owner);
    int kept = 0;
    for (int i = 0; i < scene->items; i++) {
        scene->item[kept] = scene->item[i];
        kept += seek(&cover, scene, stickers, kept, &rng);
    }
    scene->items = kept;
    stand(&cover, scene, stickers, &more);
    uint32_t die = lp_rng_below(&more, 100);
    for (int cards = die < 4 ? 2 : die < 28 ? 1 : 0; cards > 0 && stickers->signs; cards--)
        hang_card(&cover, scene, stickers, &more);
}
