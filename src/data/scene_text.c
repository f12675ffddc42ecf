/* SPDX-License-Identifier: MIT */
/* data/scene_text.c - captions and relations of a scene. */
#include "data/scene_text.h"

#include "data/wording.h"

#include <math.h>
#include <string.h>

static const char *const numbers[] = {"no", "a", "two", "three", "four", "five", "six"};

int64_t lp_scene_id(int64_t number, int item, int part) {
    return (number * LP_SCENE_ITEMS + item) * (LP_FIGURE_PARTS + 1) + part + 1;
}

void lp_scene_quote(const char *text, struct lp_str *out) {
    lp_str_putc(out, '"');
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 32) {
            lp_str_printf(out, "\\u%04x", (unsigned)*c);
        } else {
            if (*c == '"' || *c == '\\')
                lp_str_putc(out, '\\');
            lp_str_putc(out, *c);
        }
    lp_str_putc(out, '"');
}

int lp_scene_kinds(const struct lp_scene *scene, struct lp_scene_kind kind[LP_SCENE_ITEMS]) {
    int kinds = 0;
    for (int i = 0; i < scene->items; i++) {
        const struct lp_scene_item *item = &scene->item[i];
        int k = 0;
        while (k < kinds && kind[k].sticker != item->sticker)
            k++;
        if (k == kinds)
            kind[kinds++] = (struct lp_scene_kind){item->sticker, 0, item->color, i};
        kind[k].count++;
        kind[k].color = kind[k].color == item->color ? item->color : -1;
    }
    return kinds;
}

bool lp_scene_paired(const struct lp_sticker_name *n) {
    size_t length = strlen(n->name);
    return !strcmp(n->name, n->plural) && n->name[length - 1] == 's';
}

/* "two dogs", "a red car", "scissors": the kinds in a random order, joined by commas and "and". */
static void list_kinds(const struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng, struct lp_str *out) {
    struct lp_scene_kind kind[LP_SCENE_ITEMS];
    int kinds = lp_scene_kinds(scene, kind);
    for (int k = kinds - 1; k > 0; k--) {
        int j = (int)lp_rng_below(rng, (uint32_t)k + 1);
        struct lp_scene_kind kept = kind[k];
        kind[k] = kind[j];
        kind[j] = kept;
    }
    for (int k = 0; k < kinds; k++) {
        const struct lp_sticker_name *s = &stickers->name[kind[k].sticker];
        const char *color = kind[k].color >= 0 ? lp_color_names[kind[k].color] : NULL;
        lp_str_puts(out, k == 0 ? "" : k + 1 < kinds ? ", " : " and ");
        bool bare = kind[k].count == 1 && lp_scene_paired(s);
        lp_str_printf(out, "%s %s%s%s", bare ? "" : numbers[kind[k].count], color ? color : "", color ? " " : "",
                      kind[k].count > 1 ? s->plural : s->name);
    }
}

/* $: the list, @: the place, as in "on a beach". */
static const char *const sentences[] = {"$ @.", "$ @.", "Here we see $ @.", "A picture of $ @.", "You can see $ @.", "$ @"};

void lp_scene_caption(const struct lp_scene *scene, const struct lp_stickers *stickers, bool plain, struct lp_rng *rng,
                      struct lp_str *out) {
    struct lp_str text = {0};
    for (const char *c = sentences[plain ? 0 : lp_rng_below(rng, sizeof sentences / sizeof *sentences)]; *c; c++)
        if (*c == '$')
            list_kinds(scene, stickers, rng, &text);
        else if (*c == '@')
            lp_str_puts(&text, lp_backdrops[scene->backdrop].place);
        else
            lp_str_putc(&text, *c);
    lp_wording_tidy(&text);
    if (text.n && text.s[0] >= 'a' && text.s[0] <= 'z')
        text.s[0] = (char)(text.s[0] - 32);
    lp_str_puts(out, lp_str_text(&text));
    out->failed |= text.failed;
    lp_str_done(&text);
}

/* 'A sign says "OPEN".' */
static void tell_card(const struct lp_scene_card *card, struct lp_rng *rng, struct lp_str *out) {
    static const char *const forms[] = {" A sign says \"", " The sign reads \"", " On a sign it says \"", " There is a sign, \""};
    lp_str_puts(out, forms[lp_rng_below(rng, sizeof forms / sizeof *forms)]);
    for (const char *c = card->text; *c; c++)
        lp_str_putc(out, *c == '\n' ? ' ' : *c);
    lp_str_puts(out, "\".");
}

void lp_scene_captions(const struct lp_scene *scene, const struct lp_stickers *stickers, int64_t number, uint64_t seed,
                       struct lp_str *out) {
    enum { MOST = 3 };
    struct lp_rng rng;
    lp_rng_seed(&rng, seed * 7919 + (uint64_t)number);
    bool third = lp_rng_below(&rng, 2) || scene->cards;
    for (int i = 0; scene->items && i < 2 + third; i++) {
        struct lp_str text = {0};
        lp_scene_caption(scene, stickers, i == 0, &rng, &text);
        if (i == 2 && scene->cards) {
            if (text.n && text.s[text.n - 1] != '.')
                lp_str_putc(&text, '.');
            tell_card(&scene->card[0], &rng, &text);
        }
        lp_str_printf(out, ",\n{\"id\": %lld, \"image_id\": %lld, \"caption\": ", (long long)(number * MOST + i + 1),
                      (long long)number);
        lp_scene_quote(lp_str_text(&text), out);
        lp_str_putc(out, '}');
        out->failed |= text.failed;
        lp_str_done(&text);
    }
}

static void relate(int64_t number, int subject, const char *predicate, int object, struct lp_str *out) {
    lp_str_printf(out, ",\n{\"image_id\": %lld, \"subject\": %lld, \"predicate\": \"%s\", \"object\": %lld}", (long long)number,
                  (long long)lp_scene_id(number, subject, 0), predicate, (long long)lp_scene_id(number, object, 0));
}

void lp_scene_relations(const struct lp_scene *scene, const struct lp_scene_box *box, int side, int64_t number,
                        struct lp_str *out) {
    for (int a = 0; a < scene->items; a++)
        for (int b = 0; b < scene->items; b++) {
            if (a == b || !box[a].area || !box[b].area)
                continue;
            float dx = 0.5f * (float)(box[a].x0 + box[a].x1 - box[b].x0 - box[b].x1) / (float)side;
            float dy = 0.5f * (float)(box[a].y0 + box[a].y1 - box[b].y0 - box[b].y1) / (float)side;
            if (fabsf(dx) > 0.15f && fabsf(dx) > 1.3f * fabsf(dy))
                relate(number, a, dx < 0 ? "left of" : "right of", b, out);
            if (fabsf(dy) > 0.15f && fabsf(dy) > 1.3f * fabsf(dx))
                relate(number, a, dy < 0 ? "above" : "below", b, out);
            if (scene->item[a].on == b)
                relate(number, a, "on", b, out);
            int w = (box[a].x1 < box[b].x1 ? box[a].x1 : box[b].x1) - (box[a].x0 > box[b].x0 ? box[a].x0 : box[b].x0);
            int h = (box[a].y1 < box[b].y1 ? box[a].y1 : box[b].y1) - (box[a].y0 > box[b].y0 ? box[a].y0 : box[b].y0);
            int smaller = box[a].area < box[b].area ? box[a].area : box[b].area;
            if (w > 0 && h > 0 && w * h * 4 > smaller)
                relate(number, a, a < b ? "behind" : "in front of", b, out);
        }
}
