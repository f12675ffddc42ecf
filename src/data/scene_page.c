/* SPDX-License-Identifier: MIT */
/* data/scene_page.c - a scene's pictures [side,side,3], map [side,side], masks and texts.
 * Formats: COCO (cocodataset.org, "Data format"), with attributes, depth, parts and background beside. */
#include "data/scene_page.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/scene_edit.h"
#include "data/scene_text.h"
#include "image/rle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- classes ---- */

static uint8_t class_of(struct lp_scene_classes *c, const char *name) {
    for (int i = 1; i < c->count; i++)
        if (!strcmp(c->name[i], name))
            return (uint8_t)i;
    if (c->count == 256)
        return 0;
    c->name[c->count] = name;
    return (uint8_t)c->count++;
}

bool lp_scene_classes_init(struct lp_scene_classes *c, const struct lp_stickers *stickers, struct lp_error *err) {
    *c = (struct lp_scene_classes){.count = 1};
    c->sticker = lp_alloc((size_t)stickers->count + 1);
    c->ground = lp_alloc_array((size_t)lp_backdrop_count, 2);
    if (!c->sticker || !c->ground)
        return lp_error_memory(err);
    for (int i = 0; i < 2 * lp_backdrop_count; i++)
        c->ground[i] = class_of(c, lp_backdrops[i / 2].stuff[i % 2]);
    c->sign = class_of(c, "sign");
    c->things = c->count;
    for (int i = 0; i < stickers->count; i++)
        c->sticker[i] = class_of(c, stickers->name[i].supercategory);
    return true;
}

void lp_scene_classes_done(struct lp_scene_classes *c) {
    lp_free(c->sticker);
    lp_free(c->ground);
    *c = (struct lp_scene_classes){0};
}

/* ---- one scene at work ---- */

struct work {
    struct lp_scene_page *page;
    const struct lp_scenes_request *request;
    const struct lp_stickers *stickers;
    const struct lp_scene_classes *classes;
    int64_t number;
    struct lp_scene scene;
    struct lp_scene_view view;
    struct lp_scene_box box[LP_SCENE_ITEMS];
    uint8_t *pixel; /* [side,side]: a mask or the map */
    struct lp_error *err;
};

static bool write_picture(struct work *w, const char *name, const uint8_t *pixel, int bands) {
    char path[PATH_MAX];
    size_t n = 0;
    int side = w->request->side;
    uint8_t *bytes = lp_image_encode(pixel, side, side, bands, name, &n, w->err);
    bool ok = bytes && lp_file_join(path, sizeof path, w->request->folder, name, w->err) &&
              lp_file_write_unsynced(path, bytes, n, w->err);
    lp_free(bytes);
    return ok;
}

static const char *size_name(int area, int side) {
    float share = (float)area / ((float)side * (float)side);
    return share < 0.035f ? "small" : share < 0.1f ? "medium" : "large";
}

/* The mask, box and area of what is visible of item i or, above 0, of its part; false where nothing is. */
static bool measure(struct work *w, int i, int part, struct lp_scene_box *box) {
    int side = w->request->side;
    *box = (struct lp_scene_box){.x0 = side, .y0 = side};
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            size_t at = (size_t)y * (size_t)side + (size_t)x;
            w->pixel[at] = w->view.owner[at] == i && (part == 0 || w->view.part[at] == part);
            if (!w->pixel[at])
                continue;
            box->area++;
            box->x0 = x < box->x0 ? x : box->x0;
            box->y0 = y < box->y0 ? y : box->y0;
            box->x1 = x + 1 > box->x1 ? x + 1 : box->x1;
            box->y1 = y + 1 > box->y1 ? y + 1 : box->y1;
        }
    return box->area > 0;
}

/* An entry of what has just been measured. */
static bool annotate(struct work *w, int i, int part, int category, int color, const struct lp_scene_box *b) {
    struct lp_str *out = &w->page->list[LP_LIST_ANNOTATIONS];
    int side = w->request->side;
    char *counts = lp_rle_encode(w->pixel, side, side, w->err);
    if (!counts)
        return false;
    lp_str_printf(out, ",\n{\"id\": %lld, \"image_id\": %lld, \"category_id\": %d, \"bbox\": [%d, %d, %d, %d], \"area\": %d, "
                       "\"iscrowd\": 0, \"segmentation\": {\"size\": [%d, %d], \"counts\": ",
                  (long long)lp_scene_id(w->number, i, part), (long long)w->number, category + 1, b->x0, b->y0, b->x1 - b->x0,
                  b->y1 - b->y0, b->area, side, side);
    lp_scene_quote(counts, out);
    lp_str_puts(out, "}, \"attributes\": {");
    if (color >= 0)
        lp_str_printf(out, "\"color\": \"%s\", ", lp_color_names[color]);
    lp_str_printf(out, "\"size\": \"%s\"}, \"depth\": %d", size_name(b->area, side), i);
    if (part)
        lp_str_printf(out, ", \"part_of\": %lld", (long long)lp_scene_id(w->number, i, 0));
    lp_str_putc(out, '}');
    lp_free(counts);
    return true;
}

static bool annotate_all(struct work *w) {
    for (int i = 0; i < w->scene.items; i++) {
        const struct lp_scene_item *item = &w->scene.item[i];
        const struct lp_sticker *s = &w->stickers->item[item->sticker];
        if (measure(w, i, 0, &w->box[i]) && !annotate(w, i, 0, item->sticker, item->color, &w->box[i]))
            return false;
        for (int k = 0; k < s->parts; k++) {
            struct lp_scene_box box;
            int color = s->part_color[k] >= 0 ? s->part_color[k] : item->dye;
            if (measure(w, i, k + 1, &box) && !annotate(w, i, k + 1, s->part[k], color, &box))
                return false;
        }
    }
    return true;
}

static void list_box(const int box[4], struct lp_str *out) {
    lp_str_printf(out, "\"bbox\": [%d, %d, %d, %d]", box[0], box[1], box[2] - box[0], box[3] - box[1]);
}

static void list_texts(struct work *w) {
    struct lp_str *out = &w->page->list[LP_LIST_TEXTS];
    for (int i = 0; i < w->view.lines; i++) {
        const struct lp_scene_line *line = &w->view.line[i];
        if (line->box[2] <= line->box[0])
            continue;
        lp_str_printf(out, ",\n{\"id\": %lld, \"image_id\": %lld, ", (long long)(w->number * LP_SCENE_LINES + i + 1),
                      (long long)w->number);
        list_box(line->box, out);
        lp_str_puts(out, ", \"text\": ");
        lp_scene_quote(line->text, out);
        lp_str_puts(out, ", \"score\": 1, \"words\": [");
        for (int k = 0; k < line->words; k++) {
            char word[LP_LINE_LETTERS];
            snprintf(word, sizeof word, "%.*s", line->word[k].letters, line->text + line->word[k].at);
            lp_str_puts(out, k ? ", {\"text\": " : "{\"text\": ");
            lp_scene_quote(word, out);
            lp_str_puts(out, ", ");
            list_box(line->word[k].box, out);
            lp_str_putc(out, '}');
        }
        lp_str_puts(out, "]}");
    }
}

static bool write_map(struct work *w) {
    char name[32];
    size_t pixels = (size_t)w->request->side * (size_t)w->request->side;
    const uint8_t *ground = w->classes->ground + 2 * w->scene.backdrop;
    for (size_t i = 0; i < pixels; i++) {
        int8_t owner = w->view.owner[i];
        w->pixel[i] = owner >= 0 ? w->classes->sticker[w->scene.item[owner].sticker]
                                 : owner == LP_SCENE_ABOVE ? ground[0] : owner == LP_SCENE_BELOW ? ground[1] : w->classes->sign;
    }
    snprintf(name, sizeof name, "maps/%06lld.png", (long long)w->number);
    return write_picture(w, name, w->pixel, 1);
}

/* Every fourth scene, where the dice find an edit. */
static bool write_edit(struct work *w) {
    enum { EVERY = 4 };
    if (w->number % EVERY)
        return true;
    struct lp_rng rng;
    struct lp_scene after;
    struct lp_scene_view view = {0};
    struct lp_str instruction = {0}, caption = {0}, *out = &w->page->list[LP_LIST_EDITS];
    char name[40];
    lp_rng_seed(&rng, w->request->seed * 104729 + (uint64_t)w->number);
    bool ok = true;
    if (lp_scene_edit(&after, &w->scene, w->stickers, &rng, &instruction)) {
        snprintf(name, sizeof name, "edits/%06lld_after.jpg", (long long)w->number);
        ok = lp_scene_draw(&view, &after, w->stickers, w->request->side, w->err) && write_picture(w, name, view.image->pixel, 3);
        lp_scene_caption(&after, w->stickers, true, &rng, &caption);
        lp_str_printf(out, ",\n{\"image_id\": %lld, \"before\": \"%06lld.jpg\", \"instruction\": ", (long long)w->number,
                      (long long)w->number);
        lp_scene_quote(lp_str_text(&instruction), out);
        lp_str_printf(out, ", \"after\": \"%s\", \"caption\": ", name);
        lp_scene_quote(lp_str_text(&caption), out);
        lp_str_putc(out, '}');
    }
    out->failed |= instruction.failed || caption.failed;
    lp_scene_view_done(&view);
    lp_str_done(&instruction);
    lp_str_done(&caption);
    return ok;
}

void lp_scene_page_done(struct lp_scene_page *page) {
    for (int i = 0; i < LP_LISTS; i++)
        lp_str_done(&page->list[i]);
}

bool lp_scene_page_make(struct lp_scene_page *page, const struct lp_scenes_request *q, const struct lp_stickers *stickers,
                        const struct lp_scene_classes *classes, const struct lp_pages *pages, int64_t number, struct lp_error *err) {
    struct work w = {page, q, stickers, classes, number, .err = err};
    struct lp_rng rng;
    char name[32];
    *page = (struct lp_scene_page){0};
    lp_scene_make(&w.scene, stickers, q->seed, number);
    lp_rng_seed(&rng, q->seed * 15485863 + (uint64_t)number);
    if (pages && (int)lp_rng_below(&rng, 100) < q->pages)
        lp_scene_print(&w.scene, stickers, pages, &rng);
    snprintf(name, sizeof name, "%06lld.jpg", (long long)number);
    w.pixel = lp_alloc_array((size_t)q->side, (size_t)q->side);
    bool ok = w.pixel || lp_error_memory(err);
    ok = ok && lp_scene_draw(&w.view, &w.scene, stickers, q->side, err) && write_picture(&w, name, w.view.image->pixel, 3) &&
         annotate_all(&w) && write_map(&w) && write_edit(&w);
    lp_str_printf(&page->list[LP_LIST_IMAGES],
                  ",\n{\"id\": %lld, \"file_name\": \"%s\", \"width\": %d, \"height\": %d, \"background\": \"%s\"}",
                  (long long)number, name, q->side, q->side, lp_backdrops[w.scene.backdrop].name);
    if (ok) {
        list_texts(&w);
        lp_scene_captions(&w.scene, stickers, number, q->seed, &page->list[LP_LIST_CAPTIONS]);
        lp_scene_relations(&w.scene, w.box, q->side, number, &page->list[LP_LIST_RELATIONS]);
    }
    lp_scene_view_done(&w.view);
    lp_free(w.pixel);
    for (int i = 0; ok && i < LP_LISTS; i++)
        ok = !page->list[i].failed || lp_error_memory(err);
    return ok;
}
