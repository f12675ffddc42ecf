/* SPDX-License-Identifier: MIT */
/* data/show.c - truth and dialogues drawn. */
#include "data/show.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "image/draw.h"
#include "image/page.h"
#include "image/resize.h"
#include "image/rle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 448, EDGE = 10, TEXT = 15, BOXES = 64 };
static const uint8_t dark[3] = {40, 44, 52}, blue[3] = {20, 84, 180}, green[3] = {20, 120, 70};

/* A picture so that its longer side is SIDE px. */
static struct lp_image *open_scaled(const char *folder, const char *file, float *scale, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_image *image = lp_file_join(path, sizeof path, folder, file, err) ? lp_image_open(path, err) : NULL;
    if (!image)
        return NULL;
    int longer = image->width > image->height ? image->width : image->height;
    *scale = (float)SIDE / (float)longer;
    int width = image->width * SIDE / longer, height = image->height * SIDE / longer;
    struct lp_image *scaled = lp_resize(image, width ? width : 1, height ? height : 1, LP_BICUBIC, err);
    lp_image_close(image);
    return scaled;
}

/* Tints the object where it is visible; mask [height,width] of the original is scratch. */
static bool draw_mask(struct lp_image *image, const struct lp_truth_picture *p, const struct lp_truth_object *o, int color,
                      uint8_t *mask, struct lp_error *err) {
    uint8_t *wide = lp_alloc_array((size_t)image->width, (size_t)image->height);
    bool ok = wide || lp_error_memory(err);
    ok = ok && lp_rle_decode(mask, p->width, p->height, o->rle, strlen(o->rle), err);
    for (int y = 0; ok && y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            size_t from = (size_t)(y * p->height / image->height) * (size_t)p->width + (size_t)(x * p->width / image->width);
            wide[(size_t)y * (size_t)image->width + (size_t)x] = mask[from];
        }
    if (ok)
        lp_draw_mask(image, wide, color, 0.35f);
    lp_free(wide);
    return ok;
}

static bool draw_truth(struct lp_image *image, const struct lp_truth *t, const struct lp_truth_picture *p, float scale,
                       struct lp_error *err) {
    struct lp_draw_box box[BOXES];
    char label[BOXES][96];
    size_t n = 0;
    uint8_t *mask = lp_alloc_array((size_t)p->width, (size_t)p->height);
    bool ok = mask || lp_error_memory(err);
    for (int i = 0; ok && i < p->objects && n < BOXES; i++) {
        const struct lp_truth_object *o = &p->object[i];
        if (o->rle && o->part_of < 0)
            ok = draw_mask(image, p, o, i, mask, err);
        snprintf(label[n], sizeof label[n], "%s%s%s", o->color ? o->color : "", o->color ? " " : "", t->category[o->category].name);
        box[n] = (struct lp_draw_box){o->box[0] * scale, o->box[1] * scale, o->box[2] * scale, o->box[3] * scale, label[n], i};
        n++;
    }
    for (int i = 0; ok && i < p->texts && n < BOXES; i++, n++) {
        const float *b = p->text[i].box;
        box[n] = (struct lp_draw_box){b[0] * scale, b[1] * scale, b[2] * scale, b[3] * scale, p->text[i].text, p->objects + i};
    }
    lp_free(mask);
    return ok && lp_draw_boxes(image, box, n, err);
}

struct lp_image *lp_show_scene(const char *folder, const struct lp_truth *t, int64_t number, struct lp_error *err) {
    const struct lp_truth_picture *p = &t->picture[number];
    struct lp_str words = {0};
    float scale;
    for (int i = 0; i < p->captions; i++)
        lp_str_printf(&words, "%s%s", i ? "\n" : "", p->caption[i]);
    struct lp_image *image = open_scaled(folder, p->file, &scale, err), *page = NULL;
    int below = lp_page_write(NULL, lp_str_text(&words), TEXT, 0, 0, SIDE, dark, err);
    if (image && draw_truth(image, t, p, scale, err) && (!words.failed || lp_error_memory(err)))
        page = lp_page_new(SIDE + 2 * EDGE, image->height + below + 3 * EDGE, err);
    if (page) {
        lp_page_paste(page, image, EDGE, EDGE);
        if (lp_page_write(page, lp_str_text(&words), TEXT, EDGE, image->height + 2 * EDGE, SIDE, dark, err) < 0) {
            lp_image_close(page);
            page = NULL;
        }
    }
    lp_image_close(image);
    lp_str_done(&words);
    return page;
}

/* ---- dialogues ---- */

/* Boxes that stand in a result turn, after 'boxes': [[0.1, ..], ..], 0..1. */
static size_t read_boxes(const char *text, struct lp_draw_box *box, const struct lp_image *image) {
    const char *at = strstr(text, "'boxes': [");
    size_t n = 0;
    float v[4];
    for (at = at ? at + 10 : NULL; at && n < BOXES && sscanf(at, " [%f , %f , %f , %f ]", &v[0], &v[1], &v[2], &v[3]) == 4; n++) {
        box[n] = (struct lp_draw_box){v[0] * (float)image->width, v[1] * (float)image->height, v[2] * (float)image->width,
                                      v[3] * (float)image->height, NULL, (int)n};
        at = strchr(at, ']') + 1;
        at += strspn(at, ", ");
    }
    return n;
}

/* All turns as blocks of text; the assistant's with thoughts and actions. page NULL: measures. */
static int write_turns(struct lp_image *page, const json_t *turns, int x, int width, struct lp_error *err) {
    int y = EDGE;
    size_t i;
    const json_t *turn;
    json_array_foreach((json_t *)turns, i, turn) {
        const char *from = json_string_value(json_object_get(turn, "from")), *value = json_string_value(json_object_get(turn, "value"));
        const char *thoughts = json_string_value(json_object_get(turn, "thoughts"));
        bool human = from && !strcmp(from, "human");
        char *actions = json_object_get(turn, "actions") ? lp_json_text(json_object_get(turn, "actions")) : NULL;
        struct lp_str aside = {0};
        if (thoughts || actions)
            lp_str_printf(&aside, "%s\n%s", thoughts ? thoughts : "", actions ? actions : "");
        int a = aside.n ? lp_page_write(page, aside.s, TEXT - 3, x, y, width, blue, err) : 0;
        int b = a < 0 ? -1 : lp_page_write(page, value ? value : "", TEXT, x, y + a, width, human ? dark : green, err);
        lp_str_done(&aside);
        lp_free(actions);
        if (b < 0)
            return -1;
        y += a + b + EDGE;
    }
    return y;
}

struct lp_image *lp_show_record(const json_t *record, const char *folder, struct lp_error *err) {
    const json_t *turns = json_object_get(record, "conversations"), *turn;
    const char *file = json_string_value(json_array_get(json_object_get(record, "images"), 0));
    struct lp_image *image = NULL, *page = NULL;
    float scale;
    size_t i;
    if (file && folder && !(image = open_scaled(folder, file, &scale, err)))
        return NULL;
    json_array_foreach((json_t *)turns, i, turn) {
        struct lp_draw_box box[BOXES];
        const char *text = json_string_value(json_object_get(turn, "value"));
        size_t n = image && text ? read_boxes(text, box, image) : 0;
        if (n && !lp_draw_boxes(image, box, n, err)) {
            lp_image_close(image);
            return NULL;
        }
    }
    int x = image ? image->width + 2 * EDGE : EDGE, height = write_turns(NULL, turns, x, SIDE, err);
    if (image && height < image->height + 2 * EDGE)
        height = image->height + 2 * EDGE;
    page = lp_page_new(x + SIDE + EDGE, height, err);
    if (page && image)
        lp_page_paste(page, image, EDGE, EDGE);
    if (page && write_turns(page, turns, x, SIDE, err) < 0) {
        lp_image_close(page);
        page = NULL;
    }
    lp_image_close(image);
    return page;
}

struct lp_image *lp_show_sheet(struct lp_image *const *picture, int n, int across, struct lp_error *err) {
    int width = 0, height = 0, x = 0, y = 0, row = 0;
    for (int pass = 0; pass < 2; pass++) {
        struct lp_image *page = pass ? lp_page_new(width, height, err) : NULL;
        if (pass && !page)
            return NULL;
        x = y = row = 0;
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
