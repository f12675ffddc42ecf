/* SPDX-License-Identifier: MIT */
/* data/scene_write.c - scenes to files: pictures side by side on all cores, then their truth in order.
 * Formats: COCO (cocodataset.org, "Data format"), with attributes, depth and background beside. */
#include "data/scene_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/scene_text.h"
#include "image/rle.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 256 };

/* What one scene adds to each file. */
struct page {
    struct lp_str images, annotations, captions, relations;
    struct lp_error err;
};

static void page_done(struct page *p) {
    lp_str_done(&p->images);
    lp_str_done(&p->annotations);
    lp_str_done(&p->captions);
    lp_str_done(&p->relations);
}

static const char *size_name(float area, int side) {
    float share = area / ((float)side * (float)side);
    return share < 0.035f ? "small" : share < 0.1f ? "medium" : "large";
}

/* Box and area of what is visible of item i; false where nothing is. */
static bool measure(const int8_t *owner, int side, int i, uint8_t *mask, struct lp_scene_box *box) {
    *box = (struct lp_scene_box){.x0 = side, .y0 = side};
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            mask[y * side + x] = owner[y * side + x] == i;
            if (!mask[y * side + x])
                continue;
            box->area++;
            box->x0 = x < box->x0 ? x : box->x0;
            box->y0 = y < box->y0 ? y : box->y0;
            box->x1 = x + 1 > box->x1 ? x + 1 : box->x1;
            box->y1 = y + 1 > box->y1 ? y + 1 : box->y1;
        }
    return box->area > 0;
}

static bool annotate(struct page *p, const struct lp_scene *scene, int64_t number,
                     const int8_t *owner, int side, struct lp_scene_box *box) {
    uint8_t *mask = lp_alloc_array((size_t)side, (size_t)side);
    bool ok = mask || lp_error_memory(&p->err);
    for (int i = 0; ok && i < scene->items; i++) {
        const struct lp_scene_item *item = &scene->item[i];
        struct lp_scene_box *b = &box[i];
        if (!measure(owner, side, i, mask, b))
            continue;
        char *counts = lp_rle_encode(mask, side, side, &p->err);
        ok = counts;
        lp_str_printf(&p->annotations, ",\n{\"id\": %lld, \"image_id\": %lld, \"category_id\": %d, \"bbox\": [%d, %d, %d, %d], "
                                       "\"area\": %d, \"iscrowd\": 0, \"segmentation\": {\"size\": [%d, %d], \"counts\": \"",
                      (long long)(number * LP_SCENE_ITEMS + i + 1), (long long)number, item->sticker + 1, b->x0, b->y0,
                      b->x1 - b->x0, b->y1 - b->y0, b->area, side, side);
        for (const char *c = counts; c && *c; c++)
            lp_str_puts(&p->annotations, *c == '\\' ? "\\\\" : (char[]){*c, 0});
        lp_str_puts(&p->annotations, "\"}, \"attributes\": {");
        if (item->color >= 0)
            lp_str_printf(&p->annotations, "\"color\": \"%s\", ", lp_color_names[item->color]);
        lp_str_printf(&p->annotations, "\"size\": \"%s\"}, \"depth\": %d}", size_name((float)b->area, side), i);
        lp_free(counts);
    }
    lp_free(mask);
    return ok;
}

static bool make_page(struct page *p, const struct lp_scenes_request *q, const struct lp_stickers *stickers, int64_t number) {
    struct lp_scene scene;
    struct lp_scene_box box[LP_SCENE_ITEMS] = {{0}};
    char name[32], path[PATH_MAX];
    lp_scene_make(&scene, stickers, q->seed, number);
    int8_t *owner = lp_alloc_array((size_t)q->side, (size_t)q->side);
    struct lp_image *image = owner ? lp_scene_draw(&scene, stickers, q->side, owner, &p->err) : NULL;
    if (!owner)
        lp_error_memory(&p->err);
    snprintf(name, sizeof name, "%06lld.jpg", (long long)number);
    bool ok = image && lp_file_join(path, sizeof path, q->folder, name, &p->err) && lp_image_save(image, path, &p->err) &&
              annotate(p, &scene, number, owner, q->side, box);
    lp_str_printf(&p->images, ",\n{\"id\": %lld, \"file_name\": \"%s\", \"width\": %d, \"height\": %d, \"background\": \"%s\"}",
                  (long long)number, name, q->side, q->side, lp_backdrops[scene.backdrop].name);
    if (ok) {
        lp_scene_captions(&scene, stickers, number, q->seed, &p->captions);
        lp_scene_relations(&scene, box, q->side, number, &p->relations);
    }
    lp_image_close(image);
    lp_free(owner);
    if (ok && (p->images.failed || p->annotations.failed || p->captions.failed || p->relations.failed))
        ok = lp_error_memory(&p->err);
    return ok;
}

static void write_categories(const struct lp_stickers *stickers, struct lp_str *out) {
    for (int i = 0; i < stickers->count; i++) {
        const struct lp_sticker *s = &stickers->item[i];
        lp_str_printf(out, "%s\n{\"id\": %d, \"name\": \"%s\", \"plural\": \"%s\", \"supercategory\": \"%s\", \"synonyms\": [",
                      i ? "," : "", i + 1, s->name, s->plural, s->supercategory);
        for (int k = 0; s->synonym[k]; k++)
            lp_str_printf(out, "%s\"%s\"", k ? ", " : "", s->synonym[k]);
        lp_str_puts(out, "]}");
    }
}

/* {"info": .., head "annotations": [list]} - a list begins with a comma that goes. */
static bool write_file(const char *folder, const char *name, const char *head, const struct lp_str *images,
                       const struct lp_str *list, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_str out = {0};
    lp_str_printf(&out, "{\"info\": {\"description\": \"llava-plus sticker scenes\"},\n%s\"images\": [", head);
    lp_str_puts(&out, images->n ? images->s + 1 : "");
    lp_str_puts(&out, "\n],\n\"annotations\": [");
    lp_str_puts(&out, list->n ? list->s + 1 : "");
    lp_str_puts(&out, "\n]}\n");
    bool ok = !out.failed || lp_error_memory(err);
    ok = ok && lp_file_join(path, sizeof path, folder, name, err) && lp_file_write(path, out.s, out.n, err);
    lp_str_done(&out);
    return ok;
}

static bool write_truth(const struct lp_scenes_request *q, const struct lp_stickers *stickers, const struct page *all,
                        struct lp_error *err) {
    struct lp_str head = {0};
    lp_str_puts(&head, "\"categories\": [");
    write_categories(stickers, &head);
    lp_str_puts(&head, "\n],\n");
    bool ok = (!head.failed || lp_error_memory(err)) &&
              write_file(q->folder, "instances.json", lp_str_text(&head), &all->images, &all->annotations, err) &&
              write_file(q->folder, "captions.json", "", &all->images, &all->captions, err) &&
              write_file(q->folder, "relations.json", "", &all->images, &all->relations, err);
    lp_str_done(&head);
    return ok;
}

static bool add_page(struct page *all, struct page *p, struct lp_error *err) {
    if (p->err.code)
        *err = p->err;
    lp_str_add(&all->images, lp_str_text(&p->images), p->images.n);
    lp_str_add(&all->annotations, lp_str_text(&p->annotations), p->annotations.n);
    lp_str_add(&all->captions, lp_str_text(&p->captions), p->captions.n);
    lp_str_add(&all->relations, lp_str_text(&p->relations), p->relations.n);
    bool ok = !p->err.code;
    page_done(p);
    return ok;
}

bool lp_scenes_write(const struct lp_scenes_request *q, struct lp_error *err) {
    struct lp_stickers *stickers = lp_stickers_open(q->stickers, err);
    struct page all = {0};
    bool ok = stickers && lp_file_make_folder(q->folder, err);
    for (int64_t from = 0; ok && from < q->count; from += AT_ONCE) {
        int64_t n = q->count - from < AT_ONCE ? q->count - from : AT_ONCE;
        struct page *page = lp_alloc_array((size_t)n, sizeof *page);
        if (!page) {
            ok = lp_error_memory(err);
            break;
        }
#pragma omp parallel for schedule(dynamic)
        for (int64_t i = 0; i < n; i++)
            make_page(&page[i], q, stickers, from + i);
        for (int64_t i = 0; i < n; i++)
            ok = add_page(&all, &page[i], err) && ok;
        lp_free(page);
        if (ok && q->progress)
            q->progress(q->context, from + n, q->count);
    }
    ok = ok && write_truth(q, stickers, &all, err);
    page_done(&all);
    lp_stickers_close(stickers);
    return ok;
}
