/* SPDX-License-Identifier: MIT */
/* data/scene_edit.c - one change of a scene, and how people ask for it. */
#include "data/scene_edit.h"

#include "data/scene_text.h"
#include "data/wording.h"

#include <string.h>

struct edit {
    const struct lp_scene *scene;
    const struct lp_stickers *stickers;
    struct lp_rng *rng;
    struct lp_scene *after;
    struct lp_scene_kind kind[LP_SCENE_ITEMS];
    int kinds;
    struct lp_str asked, wished; /* "the red car", "a dog" */
};

/* $: what there is, %: what it becomes. */
static const char *const removals[] = {
    "remove $",           "take away $",          "take $ out of the picture", "get rid of $", "delete $",       "erase $",
    "make $ disappear",   "please remove $",           "lose $",       "cut $ out",      "without $, please",
    "can you remove $?",  "could you take $ away?"};
static const char *const additions[] = {
    "add %",           "put % into the picture",     "draw % in there",          "place % somewhere",      "insert %",
    "I want % in it",  "there should be % as well",  "please add %",             "give it %, too",         "can you add %?",
    "let there be %",  "could you put % in there?",  "add % wherever it fits",   "it needs %"};
static const char *const recolorings[] = {
    "make $ %",            "paint $ %",                "turn $ %",           "color $ %",          "change the color of $ to %",
    "$ should be %",       "I'd like $ to be %",       "recolor $ in %",     "give $ a % color",   "please make $ %",
    "can you make $ %?",   "let $ be %",               "dye $ %"};
static const char *const replacements[] = {
    "replace $ with %",       "turn $ into %",            "swap $ for %",          "change $ to %",          "put % where $ used to be",
    "make $ %",               "instead of $ show %",      "exchange $ for %",      "please replace $ by %",  "I want % instead of $",
    "can you turn $ into %?", "let $ become %",           "substitute % for $"};
static const char *const moves[] = {
    "make it look as if it were %",  "change the background: it should be %",      "set it %",           "let it take place %",
    "show everything % instead",     "I want to see this %",                       "place the scene %",  "put it all %",
    "same things, but %",            "keep everything but let it be %",            "can it be %?",       "redo this %",
    "as if it were taken %, please", "swap the background so that it is %"};

#define SAY(e, forms) say(e, forms, sizeof forms / sizeof *forms)

static bool say(struct edit *e, const char *const *form, size_t forms) {
    struct lp_str text = {0};
    for (const char *c = form[lp_rng_below(e->rng, (uint32_t)forms)]; *c; c++)
        if (*c == '$')
            lp_str_puts(&text, lp_str_text(&e->asked));
        else if (*c == '%')
            lp_str_puts(&text, lp_str_text(&e->wished));
        else
            lp_str_putc(&text, *c);
    lp_wording_tidy(&text);
    lp_str_cut(&e->asked, 0);
    e->asked.failed |= text.failed;
    lp_str_puts(&e->asked, lp_str_text(&text)); /* now the sentence */
    lp_str_done(&text);
    return true;
}

/* "the red cars"; a colour that tells something is said half the time. */
static void ask_kind(struct edit *e, const struct lp_scene_kind *k) {
    const struct lp_sticker_name *n = &e->stickers->name[k->sticker];
    bool color = k->color >= 0 && lp_rng_below(e->rng, 2);
    lp_str_printf(&e->asked, "%s%s%s %s", k->count > 1 && lp_rng_below(e->rng, 3) == 0 ? "all the" : "the", color ? " " : "",
                  color ? lp_color_names[k->color] : "", k->count > 1 ? n->plural : n->name);
}

/* "a red car", "cars" */
static void wish_item(struct edit *e, const struct lp_scene_item *item, bool several) {
    const struct lp_sticker_name *n = &e->stickers->name[item->sticker];
    lp_str_printf(&e->wished, "%s%s%s%s", several || lp_scene_paired(n) ? "" : "a ", item->tinted && item->color >= 0 ? lp_color_names[item->color] : "",
                  item->tinted && item->color >= 0 ? " " : "", several ? n->plural : n->name);
}

static bool bears_something(const struct lp_scene *scene, int sticker) {
    bool bears = false;
    for (int i = 0; i < scene->items; i++)
        bears |= scene->item[i].on >= 0 && scene->item[scene->item[i].on].sticker == sticker;
    return bears;
}

static const struct lp_scene_kind *any_kind(struct edit *e) {
    return &e->kind[lp_rng_below(e->rng, (uint32_t)e->kinds)];
}

static bool take_out(struct edit *e) {
    const struct lp_scene_kind *k = any_kind(e);
    int place[LP_SCENE_ITEMS], n = 0;
    if (e->kinds < 2 || bears_something(e->scene, k->sticker))
        return false;
    for (int i = 0; i < e->scene->items; i++) {
        place[i] = n;
        if (e->scene->item[i].sticker != k->sticker)
            e->after->item[n++] = e->scene->item[i];
    }
    e->after->items = n;
    for (int i = 0; i < n; i++)
        if (e->after->item[i].on >= 0)
            e->after->item[i].on = place[e->after->item[i].on];
    ask_kind(e, k);
    return SAY(e, removals);
}

/* A new thing that looks like nothing that is there. */
static struct lp_scene_item new_thing(struct edit *e, float size) {
    struct lp_scene_item item = {.size = size, .on = -1};
    bool known = true;
    while (known) {
        item.sticker = lp_scene_pick(e->stickers, e->rng);
        known = false;
        for (int k = 0; k < e->kinds; k++)
            known |= e->kind[k].sticker == item.sticker;
    }
    bool shape = e->stickers->item[item.sticker].shape;
    lp_scene_color(&item, e->stickers, shape ? (int)lp_rng_below(e->rng, LP_COLORS) : -1, e->rng);
    return item;
}

static bool put_in(struct edit *e) {
    struct lp_scene_item item = new_thing(e, 0.18f + 0.15f * lp_rng_float(e->rng));
    if (!lp_scene_add(e->after, e->stickers, &item, e->rng))
        return false;
    wish_item(e, &item, false);
    return SAY(e, additions);
}

static bool recolor(struct edit *e) {
    const struct lp_scene_kind *k = any_kind(e);
    const struct lp_sticker *s = &e->stickers->item[k->sticker];
    int color = (int)lp_rng_below(e->rng, LP_COLORS);
    if (!(s->shape || s->tints || s->colors) || (s->colors && (s->color >= 0 || !(s->colors >> color & 1))) || color == k->color)
        return false;
    for (int i = 0; i < e->after->items; i++)
        if (e->after->item[i].sticker == k->sticker)
            lp_scene_color(&e->after->item[i], e->stickers, color, e->rng);
    ask_kind(e, k);
    lp_str_puts(&e->wished, lp_color_names[color]);
    return SAY(e, recolorings);
}

static bool replace(struct edit *e) {
    const struct lp_scene_kind *k = any_kind(e);
    struct lp_scene_item to = new_thing(e, 0);
    for (int i = 0; i < e->after->items; i++) {
        struct lp_scene_item *item = &e->after->item[i];
        if (item->sticker != k->sticker)
            continue;
        to.x = item->x, to.y = item->y, to.size = item->size, to.on = item->on;
        *item = to;
    }
    if (bears_something(e->scene, k->sticker) || !lp_scene_sound(e->after, e->stickers))
        return false;
    ask_kind(e, k);
    wish_item(e, &to, k->count > 1);
    return SAY(e, replacements);
}

static bool move(struct edit *e) {
    e->after->backdrop = (int)lp_rng_below(e->rng, (uint32_t)lp_backdrop_count);
    const struct lp_backdrop *b = &lp_backdrops[e->after->backdrop];
    if (e->after->backdrop == e->scene->backdrop)
        return false;
    e->after->horizon = b->horizon[0] + (b->horizon[1] - b->horizon[0]) * lp_rng_float(e->rng);
    lp_str_puts(&e->wished, b->place);
    return SAY(e, moves);
}

bool lp_scene_edit(struct lp_scene *after, const struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng,
                   struct lp_str *instruction) {
    static bool (*const ways[])(struct edit *e) = {take_out, put_in, recolor, replace, move};
    struct edit e = {.scene = scene, .stickers = stickers, .rng = rng, .after = after};
    e.kinds = lp_scene_kinds(scene, e.kind);
    bool done = false;
    uint32_t first = lp_rng_below(rng, 5);
    for (uint32_t tries = 0; e.kinds && tries < 20 && !done; tries++) {
        *after = *scene;
        lp_str_cut(&e.asked, 0);
        lp_str_cut(&e.wished, 0);
        done = ways[(first + tries / 4) % 5](&e);
    }
    if (done)
        lp_str_puts(instruction, lp_str_text(&e.asked));
    instruction->failed |= e.asked.failed || e.wished.failed;
    lp_str_done(&e.asked);
    lp_str_done(&e.wished);
    return done;
}
