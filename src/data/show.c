/* SPDX-License-Identifier: MIT */
/* data/show.c - scenes drawn with their truth. */
#include "data/show.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "data/show_map.h"
#include "image/draw.h"
#include "image/page.h"
#include "image/resize.h"
#include "image/rle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 448, EDGE = 14, BOXES = 64 };

static const struct lp_page_pen head = {"sans bold", 14, {110, 116, 128}}, words = {"sans", 15, {32, 36, 44}},
                                small = {"sans", 13, {90, 96, 108}};

bool lp_show_open(struct lp_show *s, const char *folder, struct lp_error *err) {
    char classes[PATH_MAX], edits[PATH_MAX];
    *s = (struct lp_show){.folder = folder};
    bool ok = (s->truth = lp_truth_open(folder, err)) && lp_file_join(classes, sizeof classes, folder, "semantic.json", err) &&
              lp_file_join(edits, sizeof edits, folder, "edits.json", err);
    ok = ok && (!lp_file_exists(classes) || (s->classes = lp_json_load(classes, err)));
    ok = ok && (!lp_file_exists(edits) || (s->edits = lp_json_load(edits, err)));
    if (!ok)
        lp_show_done(s);
    return ok;
}

void lp_show_done(struct lp_show *s) {
    lp_truth_close(s->truth);
    json_decref(s->classes);
    json_decref(s->edits);
    *s = (struct lp_show){0};
}

struct lp_image *lp_show_picture(const char *folder, const char *file, int side, float *scale, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_image *image = lp_file_join(path, sizeof path, folder, file, err) ? lp_image_open(path, err) : NULL;
    if (!image)
        return NULL;
    int longer = image->width > image->height ? image->width : image->height;
    *scale = (float)side / (float)longer;
    int width = (int)((int64_t)image->width * side / longer), height = (int)((int64_t)image->height * side / longer);
    struct lp_image *scaled = lp_resize(image, width ? width : 1, height ? height : 1, LP_BICUBIC, err);
    lp_image_close(image);
    return scaled;
}

/* Tints an object where it is visible; mask [height,width] of the original and wide [height,width] of the image are scratch. */
static bool tint(struct lp_image *image, const struct lp_truth_picture *p, const struct lp_truth_object *o, int color, float alpha,
                 uint8_t *mask, uint8_t *wide, struct lp_error *err) {
    if (!lp_rle_decode(mask, p->width, p->height, o->rle, strlen(o->rle), err))
        return false;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            int64_t from_y = (int64_t)y * p->height / image->height, from_x = (int64_t)x * p->width / image->width;
            wide[(size_t)y * (size_t)image->width + (size_t)x] = mask[from_y * p->width + from_x];
        }
    lp_draw_mask(image, wide, color, alpha);
    return true;
}

/* Whole things, then their parts over them. */
static bool draw_masks(struct lp_image *image, const struct lp_truth_picture *p, float alpha, bool parts, struct lp_error *err) {
    uint8_t *mask = lp_alloc_array((size_t)p->width, (size_t)p->height);
    uint8_t *wide = lp_alloc_array((size_t)image->width, (size_t)image->height);
    bool ok = (mask && wide) || lp_error_memory(err);
    for (int i = 0; ok && i < (parts ? p->objects : p->wholes); i++)
        ok = !p->object[i].rle || tint(image, p, &p->object[i], i, alpha, mask, wide, err);
    lp_free(mask);
    lp_free(wide);
    return ok;
}

/* Boxes from the n-th object on, with colours and names. */
static bool draw_boxes(struct lp_image *image, const struct lp_truth *t, const struct lp_truth_picture *p, int from, int to,
                       float scale, struct lp_error *err) {
    struct lp_draw_box box[BOXES];
    char label[BOXES][96];
    size_t n = 0;
    for (int i = from; i < to && n < BOXES; i++, n++) {
        const struct lp_truth_object *o = &p->object[i];
        const char *color = o->part_of < 0 && o->color ? o->color : "";
        snprintf(label[n], sizeof label[n], "%s%s%s", color, *color ? " " : "", t->category[o->category].name);
        box[n] = (struct lp_draw_box){o->box[0] * scale, o->box[1] * scale, o->box[2] * scale, o->box[3] * scale, label[n], i};
    }
    return lp_draw_boxes(image, box, n, err);
}

static bool draw_print(struct lp_image *image, const struct lp_truth_picture *p, float scale, struct lp_error *err) {
    struct lp_draw_box box[BOXES];
    size_t n = 0;
    for (int i = 0; i < p->texts && n < BOXES; i++, n++) {
        const float *b = p->text[i].box;
        box[n] = (struct lp_draw_box){b[0] * scale, b[1] * scale, b[2] * scale, b[3] * scale, p->text[i].text, 11};
    }
    return lp_draw_boxes(image, box, n, err);
}

/* The picture with all boxes, and faint masks below them. */
static struct lp_image *draw_truth(const struct lp_show *s, const struct lp_truth_picture *p, int side, float alpha,
                                   struct lp_error *err) {
    float scale;
    struct lp_image *image = lp_show_picture(s->folder, p->file, side, &scale, err);
    if (image && draw_masks(image, p, alpha, false, err) && draw_boxes(image, s->truth, p, 0, p->wholes, scale, err) &&
        draw_print(image, p, scale, err))
        return image;
    lp_image_close(image);
    return NULL;
}

struct lp_image *lp_show_card(const struct lp_show *s, int64_t number, struct lp_error *err) {
    const struct lp_truth_picture *p = &s->truth->picture[number];
    const char *caption = p->captions ? p->caption[0] : "";
    char title[64];
    snprintf(title, sizeof title, "%lld", (long long)number);
    struct lp_image *image = draw_truth(s, p, SIDE, 0.12f, err), *page = NULL;
    int below = image ? lp_page_write(NULL, caption, &words, 0, 0, SIDE - 40, err) : -1;
    if (below >= 0)
        page = lp_page_new(SIDE + 2 * EDGE, image->height + 2 * EDGE + 10 + (below > 36 ? below : 36), err);
    if (page) {
        lp_page_paste(page, image, EDGE + (SIDE - image->width) / 2, EDGE);
        if (lp_page_write(page, title, &head, EDGE, image->height + EDGE + 9, 40, err) < 0 ||
            lp_page_write(page, caption, &words, EDGE + 40, image->height + EDGE + 8, SIDE - 40, err) < 0) {
            lp_image_close(page);
            page = NULL;
        }
    }
    lp_image_close(image);
    return page;
}

/* ---- a page of its own ---- */

static struct lp_image *draw_parts(const struct lp_show *s, const struct lp_truth_picture *p, struct lp_error *err) {
    float scale;
    struct lp_image *image = lp_show_picture(s->folder, p->file, SIDE, &scale, err);
    if (image && draw_masks(image, p, 0.6f, true, err) && draw_boxes(image, s->truth, p, p->wholes, p->objects, scale, err))
        return image;
    lp_image_close(image);
    return NULL;
}

static const json_t *find_edit(const struct lp_show *s, const struct lp_truth_picture *p) {
    const json_t *edit;
    size_t i;
    json_array_foreach(s->edits, i, edit) {
        const char *before = json_string_value(json_object_get(edit, "before"));
        const char *after = json_string_value(json_object_get(edit, "after"));
        if (before && !strcmp(before, p->file) && after && *after && *after != '/' && !strstr(after, ".."))
            return edit;
    }
    return NULL;
}

static void tell_thing(struct lp_str *out, const struct lp_truth *t, const struct lp_truth_object *o) {
    lp_str_printf(out, "%s%s%s", o->color ? o->color : "", o->color ? " " : "", t->category[o->category].name);
}

/* Captions, print, relations and the edit in words. */
static void tell_all(struct lp_str *out, const struct lp_truth *t, const struct lp_truth_picture *p, const json_t *edit) {
    enum { RELATIONS = 24 };
    for (int i = 0; i < p->captions; i++)
        lp_str_printf(out, "%s\n", p->caption[i]);
    for (int i = 0; i < p->texts; i++)
        lp_str_printf(out, "%s\xe2\x80\x9c%s\xe2\x80\x9d%s", i ? " " : "\nPrint: ", p->text[i].text, i + 1 < p->texts ? "" : "\n");
    for (int i = 0; i < p->relations && i < RELATIONS; i++) {
        lp_str_puts(out, i ? "; " : "\n");
        tell_thing(out, t, &p->object[p->relation[i].subject]);
        lp_str_printf(out, " %s ", p->relation[i].predicate);
        tell_thing(out, t, &p->object[p->relation[i].object]);
    }
    if (p->relations)
        lp_str_puts(out, p->relations > RELATIONS ? "; \xe2\x80\xa6\n" : "\n");
    const char *instruction = json_string_value(json_object_get(edit, "instruction"));
    const char *caption = json_string_value(json_object_get(edit, "caption"));
    if (instruction)
        lp_str_printf(out, "\nEdit: %s\nAfterwards: %s\n", instruction, caption ? caption : "");
}

/* Up to four pictures with their titles in a row, and the text below. */
static struct lp_image *lay_out(struct lp_image *const *panel, const char *const *title, int n, const char *top, const char *below,
                                struct lp_error *err) {
    int width = n * (SIDE + EDGE) + EDGE, high = 0;
    for (int i = 0; i < n; i++)
        high = panel[i]->height > high ? panel[i]->height : high;
    int text = lp_page_write(NULL, below, &words, 0, 0, width - 2 * EDGE, err);
    struct lp_image *page = text < 0 ? NULL : lp_page_new(width, 58 + high + text + 3 * EDGE, err);
    bool ok = page && lp_page_write(page, top, &small, EDGE, 10, width - 2 * EDGE, err) >= 0;
    for (int i = 0; ok && i < n; i++) {
        int x = EDGE + i * (SIDE + EDGE);
        ok = lp_page_write(page, title[i], &head, x, 34, SIDE, err) >= 0;
        lp_page_paste(page, panel[i], x, 58);
    }
    ok = ok && lp_page_write(page, below, &words, EDGE, 58 + high + EDGE, width - 2 * EDGE, err) >= 0;
    if (ok)
        return page;
    lp_image_close(page);
    return NULL;
}

struct lp_image *lp_show_scene(const struct lp_show *s, int64_t number, struct lp_error *err) {
    const struct lp_truth_picture *p = &s->truth->picture[number];
    const json_t *edit = find_edit(s, p);
    struct lp_image *panel[4] = {NULL}, *page = NULL;
    const char *title[4];
    struct lp_str text = {0}, top = {0};
    float scale;
    int n = 0;
    lp_str_printf(&top, "%s   %d x %d   %s   %d things, %d parts, %d lines of print, %d relations", p->file, p->width, p->height,
                  p->background ? p->background : "COCO", p->wholes, p->objects - p->wholes, p->texts, p->relations);
    tell_all(&text, s->truth, p, edit);
    title[n] = "boxes, colours, names";
    bool ok = (panel[n] = draw_truth(s, p, SIDE, 0, err)) && ++n;
    title[n] = p->objects > p->wholes ? "masks, parts" : "masks";
    ok = ok && (panel[n] = draw_parts(s, p, err)) && ++n;
    if (ok && s->classes) {
        title[n] = "classes";
        ok = lp_show_map(s->folder, s->classes, p, SIDE, &panel[n], err);
        n += panel[n] != NULL;
    }
    if (ok && edit) {
        title[n] = "after the edit";
        ok = (panel[n] = lp_show_picture(s->folder, json_string_value(json_object_get(edit, "after")), SIDE, &scale, err)) && ++n;
    }
    if (ok && (text.failed || top.failed))
        ok = lp_error_memory(err);
    if (ok)
        page = lay_out(panel, title, n, lp_str_text(&top), lp_str_text(&text), err);
    for (int i = 0; i < 4; i++)
        lp_image_close(panel[i]);
    lp_str_done(&text);
    lp_str_done(&top);
    return page;
}

struct lp_image *lp_show_sheet(struct lp_image *const *picture, int n, int across, struct lp_error *err) {
    int width = 0, height = 0;
    for (int pass = 0; pass < 2; pass++) {
        struct lp_image *page = pass ? lp_page_new(width, height, err) : NULL;
        if (pass && !page)
            return NULL;
        int x = 0, y = 0, row = 0;
        for (int i = 0; i < n; i++) {
            if (i && i % across == 0) {
                x = 0;
                y += row;
                row = 0;
            }
            if (page)
                lp_page_paste(page, picture[i], x, y);
            x += picture[i]->width;
            row = picture[i]->height > row ? picture[i]->height : row;
            width = x > width ? x : width;
            height = y + row;
        }
        if (page)
            return page;
    }
    return NULL;
}
