/* SPDX-License-Identifier: MIT */
/* data/scene_text.c - captions and relations of a scene. */
#include "data/scene_text.h"

#include "data/wording.h"

#include <math.h>
#include <string.h>

static const char *const numbers[] = {"no", "a", "two", "three", "four", "five", "six"};

/* "two dogs", "a red car": the kinds in a random order, joined by commas and "and". */
static void list_kinds(const struct lp_scene *scene, const struct lp_stickers *stickers, struct lp_rng *rng, struct lp_str *out) {
    int first[LP_SCENE_ITEMS], count[LP_SCENE_ITEMS], color[LP_SCENE_ITEMS], kinds = 0;
    for (int i = 0; i < scene->items; i++) {
        int k = 0;
        while (k < kinds && scene->item[first[k]].sticker != scene->item[i].sticker)
            k++;
        if (k == kinds) {
            first[k] = i;
            count[k] = 0;
            color[k] = scene->item[i].color;
            kinds++;
        }
        count[k]++;
        color[k] = color[k] == scene->item[i].color ? color[k] : -1;
    }
    for (int k = kinds - 1; k > 0; k--) {
        int j = (int)lp_rng_below(rng, (uint32_t)k + 1), a = first[k], b = count[k], c = color[k];
        first[k] = first[j], count[k] = count[j], color[k] = color[j];
        first[j] = a, count[j] = b, color[j] = c;
    }
    for (int k = 0; k < kinds; k++) {
        const struct lp_sticker *s = &stickers->item[scene->item[first[k]].sticker];
        const char *tone = color[k] >= 0 ? lp_color_names[color[k]] : NULL;
        lp_str_puts(out, k == 0 ? "" : k + 1 < kinds ? ", " : " and ");
        lp_str_printf(out, "%s %s%s%s", numbers[count[k]], tone ? tone : "", tone ? " " : "", count[k] > 1 ? s->plural : s->name);
    }
}

/* $: the list, @: the place, as in "on a beach". */
static const char *const sentences[] = {"$ @.", "$ @.", "Here we see $ @.", "A picture of $ @.", "You can see $ @.", "$ @"};

void lp_scene_captions(const struct lp_scene *scene, const struct lp_stickers *stickers, int64_t number, uint64_t seed,
                       struct lp_str *out) {
    struct lp_rng rng;
    lp_rng_seed(&rng, seed * 7919 + (uint64_t)number);
    if (!scene->items)
        return;
    for (int i = 0; i < 2; i++) {
        const char *form = sentences[i ? lp_rng_below(&rng, sizeof sentences / sizeof *sentences) : 0];
        struct lp_str text = {0};
        for (const char *c = form; *c; c++)
            if (*c == '$')
                list_kinds(scene, stickers, &rng, &text);
            else if (*c == '@')
                lp_str_puts(&text, lp_backdrops[scene->backdrop].place);
            else
                lp_str_putc(&text, *c);
        lp_wording_tidy(&text);
        if (text.n && text.s[0] >= 'a' && text.s[0] <= 'z')
            text.s[0] = (char)(text.s[0] - 32);
        lp_str_printf(out, ",\n{\"id\": %lld, \"image_id\": %lld, \"caption\": \"%s\"}", (long long)(number * 2 + i + 1),
                      (long long)number, lp_str_text(&text));
        out->failed |= text.failed;
        lp_str_done(&text);
    }
}

static void relate(int64_t number, int subject, const char *predicate, int object, struct lp_str *out) {
    lp_str_printf(out, ",\n{\"image_id\": %lld, \"subject\": %lld, \"predicate\": \"%s\", \"object\": %lld}", (long long)number,
                  (long long)(number * LP_SCENE_ITEMS + subject + 1), predicate, (long long)(number * LP_SCENE_ITEMS + object + 1));
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
            int w = (box[a].x1 < box[b].x1 ? box[a].x1 : box[b].x1) - (box[a].x0 > box[b].x0 ? box[a].x0 : box[b].x0);
            int h = (box[a].y1 < box[b].y1 ? box[a].y1 : box[b].y1) - (box[a].y0 > box[b].y0 ? box[a].y0 : box[b].y0);
            int smaller = box[a].area < box[b].area ? box[a].area : box[b].area;
            if (w > 0 && h > 0 && w * h * 4 > smaller)
                relate(number, a, a < b ? "behind" : "in front of", b, out);
        }
}
