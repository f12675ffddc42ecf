/* SPDX-License-Identifier: MIT */
/* eval/coco_read.c - COCO's annotations and results, everything checked. */
#include "eval/coco_read.h"

#include "base/memory.h"
#include "image/image.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

/* NULL where it is not there or null. */
static const json_t *given(const json_t *item, const char *key) {
    const json_t *value = json_object_get(item, key);
    return json_is_null(value) ? NULL : value;
}

static bool read_id(const json_t *item, const char *key, int64_t *id, struct lp_error *err) {
    if (!given(item, key))
        return lp_error_set(err, LP_EINPUT, "it has no '%s'", key);
    return lp_json_int(item, key, 0, -((int64_t)1 << 53), (int64_t)1 << 53, id, err);
}

static bool read_needed(const json_t *item, const char *key, double *value, struct lp_error *err) {
    if (!given(item, key))
        return lp_error_set(err, LP_EINPUT, "it has no '%s'", key);
    return lp_json_number(item, key, 0, value, err);
}

static const json_t *list_of(const json_t *file, const char *key, struct lp_error *err) {
    const json_t *list = json_object_get(file, key);
    if (!json_is_array(list) || json_array_size(list) > INT_MAX) {
        lp_error_set(err, LP_EINPUT, "it has no list '%s'", key);
        return NULL;
    }
    return list;
}

/* ---- categories and pictures, in order of their ids ---- */

static int category_order(const void *a, const void *b) {
    int64_t x = ((const struct lp_coco_category *)a)->id, y = ((const struct lp_coco_category *)b)->id;
    return (x > y) - (x < y);
}

static int picture_order(const void *a, const void *b) {
    int64_t x = ((const struct lp_coco_picture *)a)->id, y = ((const struct lp_coco_picture *)b)->id;
    return (x > y) - (x < y);
}

static bool read_category(struct lp_coco *set, const json_t *item, struct lp_error *err) {
    struct lp_coco_category *c = &set->category[set->categories];
    const char *name;
    if (!read_id(item, "id", &c->id, err) || !lp_json_string(item, "name", NULL, &name, err))
        return false;
    if (!name)
        return lp_error_set(err, LP_EINPUT, "it has no 'name'");
    if (!(c->name = lp_arena_strdup(&set->names, name)))
        return lp_error_memory(err);
    set->categories++;
    return true;
}

static bool read_picture(struct lp_coco *set, const json_t *item, struct lp_error *err) {
    struct lp_coco_picture *p = &set->picture[set->pictures];
    int64_t width, height;
    const char *file;
    if (!read_id(item, "id", &p->id, err) || !lp_json_string(item, "file_name", NULL, &file, err) ||
        !lp_json_int(item, "width", 0, 0, INT_MAX, &width, err) || !lp_json_int(item, "height", 0, 0, INT_MAX, &height, err))
        return false;
    if (width * height > LP_IMAGE_MAX_PIXELS)
        return lp_error_set(err, LP_EINPUT, "it has more than %d pixels", LP_IMAGE_MAX_PIXELS);
    p->width = height ? (int)width : 0;
    p->height = width ? (int)height : 0;
    if (file && !(p->file = lp_arena_strdup(&set->names, file)))
        return lp_error_memory(err);
    set->pictures++;
    return true;
}

static bool read_places(struct lp_coco *set, const json_t *file, struct lp_error *err) {
    const json_t *categories = list_of(file, "categories", err), *item;
    const json_t *pictures = categories ? list_of(file, "images", err) : NULL;
    size_t i;
    if (!pictures)
        return false;
    set->category = lp_alloc_array(json_array_size(categories), sizeof *set->category);
    set->picture = lp_alloc_array(json_array_size(pictures), sizeof *set->picture);
    if (!set->category || !set->picture)
        return lp_error_memory(err);
    json_array_foreach((json_t *)categories, i,
                       item) if (!read_category(set, item, err)) return lp_error_prefix(err, "category %zu",
                                                                                        i + 1);
    json_array_foreach((json_t *)pictures, i, item) if (!read_picture(set, item, err)) return lp_error_prefix(
        err, "image %zu", i + 1);
    qsort(set->category, (size_t)set->categories, sizeof *set->category, category_order);
    qsort(set->picture, (size_t)set->pictures, sizeof *set->picture, picture_order);
    for (int k = 1; k < set->categories; k++)
        if (set->category[k].id == set->category[k - 1].id)
            return lp_error_set(err, LP_EINPUT, "there are two categories of the id %lld",
                                (long long)set->category[k].id);
    for (int k = 1; k < set->pictures; k++)
        if (set->picture[k].id == set->picture[k - 1].id)
            return lp_error_set(err, LP_EINPUT, "there are two images of the id %lld",
                                (long long)set->picture[k].id);
    return true;
}

/* ---- masks ---- */

/* [[x, y, x, y, ..], ..] */
static bool read_outlines(const json_t *list, const struct lp_coco_picture *p, struct lp_rle *out,
                          struct lp_error *err) {
    size_t outlines = json_array_size(list), numbers = 0, at = 0, i, k;
    const json_t *outline, *number;
    json_array_foreach((json_t *)list, i, outline) {
        size_t n = json_array_size(outline);
        if (n < 6 || n % 2)
            return lp_error_set(err, LP_EINPUT,
                                "outline %zu of its mask is not the x and y of 3 corners or more", i + 1);
        numbers += n;
    }
    double *xy = lp_alloc_array(numbers, sizeof *xy);
    size_t *points = lp_alloc_array(outlines, sizeof *points);
    bool ok = (xy && points) || lp_error_memory(err);
    for (i = 0; ok && i < outlines; i++) {
        outline = json_array_get(list, i);
        points[i] = json_array_size(outline) / 2;
        json_array_foreach((json_t *)outline, k, number) {
            xy[at] = json_is_number(number) ? json_number_value(number) : NAN;
            ok = ok && fabs(xy[at++]) <= LP_RLE_FARTHEST;
        }
        if (!ok)
            lp_error_set(err, LP_EINPUT, "outline %zu of its mask has a corner that is not in pixels", i + 1);
    }
    ok = ok && lp_rle_from_polygons(out, xy, points, outlines, p->width, p->height, err);
    lp_free(xy);
    lp_free(points);
    return ok;
}

static bool read_plain_runs(const json_t *list, const struct lp_coco_picture *p, struct lp_rle *out,
                            struct lp_error *err) {
    size_t n = json_array_size(list), i;
    uint32_t *run = lp_alloc_array(n, sizeof *run);
    const json_t *number;
    bool ok = run || lp_error_memory(err);
    json_array_foreach((json_t *)list, i, number) {
        int64_t length = json_is_integer(number) ? json_integer_value(number) : -1;
        if (!ok)
            break;
        ok =
            (length >= 0 && length <= LP_IMAGE_MAX_PIXELS) ||
            lp_error_set(err, LP_EINPUT, "run length %zu of its mask is not a whole number of pixels", i + 1);
        run[i] = (uint32_t)length;
    }
    ok = ok && lp_rle_from_runs(out, run, n, p->width, p->height, err);
    lp_free(run);
    return ok;
}

static bool read_runs(const json_t *mask, const struct lp_coco_picture *p, struct lp_rle *out,
                      struct lp_error *err) {
    const json_t *size = json_object_get(mask, "size"), *counts = json_object_get(mask, "counts");
    const json_t *height = json_array_get(size, 0), *width = json_array_get(size, 1);
    if (json_array_size(size) != 2 || !json_is_integer(height) || !json_is_integer(width))
        return lp_error_set(err, LP_EINPUT, "its mask has no 'size' [height, width]");
    if (json_integer_value(height) != p->height || json_integer_value(width) != p->width)
        return lp_error_set(err, LP_EINPUT, "its mask is %lld x %lld, the picture %d x %d",
                            (long long)json_integer_value(width), (long long)json_integer_value(height),
                            p->width, p->height);
    if (json_is_array(counts))
        return read_plain_runs(counts, p, out, err);
    if (!json_is_string(counts))
        return lp_error_set(err, LP_EINPUT, "its mask has no 'counts', a string or a list");
    return lp_rle_read(out, json_string_value(counts), json_string_length(counts), p->width, p->height, err);
}

static bool read_mask(const json_t *mask, const struct lp_coco_picture *p, struct lp_rle *out,
                      struct lp_error *err) {
    if (!p->width)
        return lp_error_set(err, LP_EINPUT, "image %lld has no 'width' and 'height', which masks need",
                            (long long)p->id);
    if (json_is_array(mask) && json_array_size(mask))
        return read_outlines(mask, p, out, err);
    return json_is_object(mask)
               ? read_runs(mask, p, out, err)
               : lp_error_set(err, LP_EINPUT, "its 'segmentation' is neither outlines nor run lengths");
}

/* ---- things ---- */

static bool read_box(const json_t *box, double xywh[4], struct lp_error *err) {
    bool ok = json_array_size(box) == 4;
    for (size_t i = 0; ok && i < 4; i++) {
        const json_t *number = json_array_get(box, i);
        ok = json_is_number(number);
        xywh[i] = json_number_value(number);
    }
    return ok || lp_error_set(err, LP_EINPUT, "its 'bbox' is not [x, y, width, height]");
}

/* Where it is and what; the picture and the category must be in the truth. */
static bool read_place(const struct lp_coco *set, const json_t *item, struct lp_coco_thing *t,
                       struct lp_error *err) {
    int64_t picture, category;
    if (!read_id(item, "image_id", &picture, err) || !read_id(item, "category_id", &category, err))
        return false;
    t->picture = lp_coco_find_picture(set, picture);
    t->category = lp_coco_find_category(set, category);
    if (t->picture < 0)
        return lp_error_set(err, LP_EINPUT, "there is no image %lld", (long long)picture);
    return t->category >= 0 || lp_error_set(err, LP_EINPUT, "there is no category %lld", (long long)category);
}

static bool read_crowd(const json_t *item, bool *crowd, struct lp_error *err) {
    const json_t *value = given(item, "iscrowd");
    *crowd = json_is_true(value) || json_integer_value(value) == 1;
    return !value || *crowd || json_is_false(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           lp_error_set(err, LP_EINPUT, "'iscrowd' is neither 0 nor 1");
}

static bool read_annotation(struct lp_coco *set, const json_t *item, struct lp_error *err) {
    struct lp_coco_thing t = {0};
    bool ok = read_id(item, "id", &t.id, err) && read_place(set, item, &t, err) &&
              read_crowd(item, &t.crowd, err) && read_needed(item, "area", &t.area, err);
    if (ok && !(t.area >= 0))
        ok = lp_error_set(err, LP_EINPUT, "its 'area' is not a number from 0 on");
    if (ok && set->masks)
        ok = read_mask(json_object_get(item, "segmentation"), &set->picture[t.picture], &t.mask, err);
    else if (ok)
        ok = read_box(json_object_get(item, "bbox"), t.box, err);
    ok = ok && lp_coco_add_truth(set, &t, err);
    lp_rle_done(&t.mask);
    return ok;
}

/* A box's own outline as a mask. */
static bool mask_of_box(const double b[4], const struct lp_coco_picture *p, struct lp_rle *out,
                        struct lp_error *err) {
    const double x1 = b[0] + b[2], y1 = b[1] + b[3], xy[8] = {b[0], b[1], b[0], y1, x1, y1, x1, b[1]};
    const size_t points = 4;
    for (int i = 0; i < 8; i++)
        if (!(fabs(xy[i]) <= LP_RLE_FARTHEST))
            return lp_error_set(err, LP_EINPUT, "its box is far outside any picture");
    if (!p->width)
        return lp_error_set(err, LP_EINPUT, "image %lld has no 'width' and 'height', which masks need",
                            (long long)p->id);
    return lp_rle_from_polygons(out, xy, &points, 1, p->width, p->height, err);
}

static bool read_result(struct lp_coco *set, const json_t *item, struct lp_error *err) {
    struct lp_coco_thing t = {.area = -1};
    if (!read_place(set, item, &t, err) || !read_needed(item, "score", &t.score, err))
        return false;
    const json_t *box = given(item, "bbox"), *mask = given(item, "segmentation");
    const struct lp_coco_picture *p = &set->picture[t.picture];
    bool boxed = box && !(json_is_array(box) && !json_array_size(box));
    bool ok = !boxed || read_box(box, t.box, err);
    if (ok && boxed && (t.box[2] < 0 || t.box[3] < 0))
        ok = lp_error_set(err, LP_EINPUT, "its box has a width or height below 0");
    if (ok && !boxed && !mask)
        ok = lp_error_set(err, LP_EINPUT, "it has neither 'bbox' nor 'segmentation'");
    if (ok && (set->masks || !boxed))
        ok = mask ? read_mask(mask, p, &t.mask, err) : mask_of_box(t.box, p, &t.mask, err);
    if (ok && boxed)
        t.area = t.box[2] * t.box[3];
    else if (ok) {
        t.area = (double)lp_rle_area(&t.mask);
        lp_rle_box(&t.mask, t.box);
    }
    ok = ok && lp_coco_add_found(set, &t, err);
    lp_rle_done(&t.mask);
    return ok;
}

/* ---- files ---- */

static int id_order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool check_ids(const struct lp_coco_list *truth, struct lp_error *err) {
    int64_t *id = lp_alloc_array(truth->n, sizeof *id), twice = 0;
    bool ok = true;
    if (!id)
        return lp_error_memory(err);
    for (size_t i = 0; i < truth->n; i++)
        id[i] = truth->thing[i].id;
    qsort(id, truth->n, sizeof *id, id_order);
    for (size_t i = 1; i < truth->n; i++)
        if (id[i] == id[i - 1]) {
            ok = false;
            twice = id[i];
        }
    lp_free(id);
    return ok || lp_error_set(err, LP_EINPUT, "there are two annotations of the id %lld", (long long)twice);
}

bool lp_coco_take_truth(struct lp_coco *set, const json_t *file, const char *name, struct lp_error *err) {
    const json_t *annotations, *item;
    size_t i;
    if (!read_places(set, file, err) || !(annotations = list_of(file, "annotations", err)))
        return lp_error_prefix(err, "%s", name);
    json_array_foreach(
        (json_t *)annotations, i,
        item) if (!read_annotation(set, item, err)) return lp_error_prefix(err, "%s: annotation %zu", name,
                                                                           i + 1);
    return check_ids(&set->truth, err) || lp_error_prefix(err, "%s", name);
}

bool lp_coco_take_results(struct lp_coco *set, const json_t *list, const char *name, struct lp_error *err) {
    const json_t *item;
    size_t i;
    if (!json_is_array(list))
        return lp_error_set(err, LP_EINPUT, "%s is not a list of results", name);
    json_array_foreach((json_t *)list, i, item) if (!read_result(set, item, err)) return lp_error_prefix(
        err, "%s: result %zu", name, i + 1);
    return true;
}

bool lp_coco_read_truth(struct lp_coco *set, const char *path, struct lp_error *err) {
    json_t *file = lp_json_load(path, err);
    bool ok = file && lp_coco_take_truth(set, file, path, err);
    json_decref(file);
    return ok;
}

bool lp_coco_read_results(struct lp_coco *set, const char *path, struct lp_error *err) {
    json_t *list = lp_json_load(path, err);
    bool ok = list && lp_coco_take_results(set, list, path, err);
    json_decref(list);
    return ok;
}
