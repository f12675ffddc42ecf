/* SPDX-License-Identifier: MIT */
/* cli/coco_results.c - see coco_results.h. */
#include "cli/coco_results.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MOST = 256 };

static void in_small_letters(char out[NAME_MOST], const char *name) {
    size_t n = 0;
    for (; name[n] && n < NAME_MOST - 1; n++)
        out[n] = (char)tolower((unsigned char)name[n]);
    out[n] = 0;
}

/* names -> ids of a list of objects. */
static json_t *ids_of(const json_t *list, const char *key, struct lp_error *err) {
    json_t *ids = json_object(), *one;
    size_t i;
    bool ok = ids || lp_error_memory(err);
    json_array_foreach(list, i, one) {
        const char *name = json_string_value(json_object_get(one, key));
        const json_t *id = json_object_get(one, "id");
        char small[NAME_MOST];
        if (!ok || !name || !json_is_integer(id))
            continue;
        in_small_letters(small, name);
        ok = !json_object_set_new(ids, small, json_integer(json_integer_value(id))) || lp_error_memory(err);
    }
    if (ok && !json_object_size(ids))
        ok = lp_error_set(err, LP_EINPUT,
                          "it names no %s: annotations have a list of objects with '%s' and 'id'",
                          key[0] == 'f' ? "pictures" : "categories", key);
    if (ok)
        return ids;
    json_decref(ids);
    return NULL;
}

bool lp_coco_results_open(struct lp_coco_results *results, const char *truth, struct lp_error *err) {
    json_t *file = lp_json_load(truth, err);
    const json_t *categories = json_object_get(file, "categories");
    bool ok = file && (results->pictures = ids_of(json_object_get(file, "images"), "file_name", err)) &&
              (results->categories = ids_of(categories, "name", err)) &&
              ((results->list = json_array()) || lp_error_memory(err));
    if (ok)
        results->first = json_integer_value(json_object_get(json_array_get(categories, 0), "id"));
    else if (file)
        lp_error_prefix(err, "%s", truth);
    json_decref(file);
    return ok;
}

/* x y width height of x0 y0 x1 y1. */
static json_t *box_of(const json_t *corners) {
    double at[4];
    for (size_t k = 0; k < 4; k++)
        at[k] = json_number_value(json_array_get(corners, k));
    return json_pack("[f,f,f,f]", at[0], at[1], at[2] - at[0], at[3] - at[1]);
}

static bool add_find(struct lp_coco_results *results, const json_t *picture, const char *phrase,
                     const json_t *box, const json_t *score, const json_t *mask, struct lp_error *err) {
    char name[NAME_MOST] = "";
    if (phrase)
        in_small_letters(name, phrase);
    const json_t *category = json_object_get(results->categories, name);
    if (phrase && !category) {
        results->strangers++;
        return true;
    }
    json_t *find = json_pack("{s:I,s:I,s:o,s:f}", "image_id", json_integer_value(picture), "category_id",
                             category ? json_integer_value(category) : results->first, "bbox", box_of(box),
                             "score", json_number_value(score));
    if (mask && json_object_set(find, "segmentation", json_object_get(mask, "segmentation"))) {
        json_decref(find);
        find = NULL;
    }
    return !json_array_append_new(results->list, find) || lp_error_memory(err);
}

bool lp_coco_results_add(struct lp_coco_results *results, const char *path, const json_t *report,
                         struct lp_error *err) {
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    const json_t *boxes = json_object_get(report, "boxes"), *masks = json_object_get(report, "masks");
    const json_t *phrases = json_object_get(report, "phrases"), *scores = json_object_get(report, "scores");
    char name[NAME_MOST];
    in_small_letters(name, file);
    const json_t *picture = json_object_get(results->pictures, name);
    if (!picture)
        return lp_error_set(err, LP_EINPUT, "the annotations know no picture '%s'", file);
    bool ok = true;
    size_t n = json_array_size(boxes ? boxes : masks);
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *mask = json_array_get(masks, i);
        const json_t *box = boxes ? json_array_get(boxes, i) : json_object_get(mask, "box");
        ok = !json_is_array(box) /* an empty mask */ ||
             add_find(results, picture, json_string_value(json_array_get(phrases, i)), box,
                      scores ? json_array_get(scores, i) : json_object_get(mask, "score"), mask, err);
    }
    return ok;
}

bool lp_coco_results_write(const struct lp_coco_results *results, const char *path, struct lp_error *err) {
    return lp_json_save(path, results->list, err);
}

void lp_coco_results_done(struct lp_coco_results *results) {
    json_decref(results->pictures);
    json_decref(results->categories);
    json_decref(results->list);
}
