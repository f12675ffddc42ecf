/* SPDX-License-Identifier: MIT */
/* data/truth.c - COCO's files to what pictures show. The files come from outside: everything is checked. */
#include "data/truth.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "image/image.h"
#include "image/rle.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ids to places, open addressing */
struct index {
    int64_t *id;
    int32_t *place; /* -1: free */
    size_t size;    /* a power of two */
};

static bool index_init(struct index *x, size_t n) {
    for (x->size = 16; x->size < 2 * n;)
        x->size *= 2;
    x->id = lp_alloc_array(x->size, sizeof *x->id);
    x->place = lp_alloc_array(x->size, sizeof *x->place);
    if (!x->id || !x->place)
        return false;
    memset(x->place, -1, x->size * sizeof *x->place);
    return true;
}

static void index_done(struct index *x) {
    lp_free(x->id);
    lp_free(x->place);
}

static size_t slot(const struct index *x, int64_t id) {
    size_t at = ((uint64_t)id * 0x9e3779b97f4a7c15u) >> 20 & (x->size - 1);
    while (x->place[at] >= 0 && x->id[at] != id)
        at = (at + 1) & (x->size - 1);
    return at;
}

static int32_t find(const struct index *x, int64_t id) {
    return x->place[slot(x, id)];
}

static bool put(struct index *x, int64_t id, int32_t place) {
    size_t at = slot(x, id);
    if (x->place[at] >= 0)
        return false;
    x->id[at] = id;
    x->place[at] = place;
    return true;
}

struct reader {
    struct lp_truth *truth;
    struct lp_arena *arena;
    struct index category, picture, object; /* object: place in its picture */
};

struct lp_truth_memory {
    struct lp_truth truth; /* first: what the caller holds */
    struct lp_arena arena;
};

enum { FINE = 1 << 30 };

static const char *keep(struct reader *r, const char *text, struct lp_error *err) {
    const char *copy = text ? lp_arena_strdup(r->arena, text) : NULL;
    if (text && !copy)
        lp_error_memory(err);
    return copy;
}

static bool read_id(const json_t *item, const char *key, int64_t *id, struct lp_error *err) {
    const json_t *value = json_object_get(item, key);
    if (!value || json_is_null(value))
        return lp_error_set(err, LP_EINPUT, "it has no '%s'", key);
    return lp_json_int(item, key, 0, -((int64_t)1 << 53), (int64_t)1 << 53, id, err);
}

static json_t *list_of(const json_t *file, const char *key, struct lp_error *err) {
    json_t *list = json_object_get(file, key);
    if (!json_is_array(list))
        lp_error_set(err, LP_EINPUT, "it has no list '%s'", key);
    return json_is_array(list) ? list : NULL;
}

static bool read_category(struct reader *r, const json_t *item, int i, struct lp_error *err) {
    struct lp_truth_category *c = &r->truth->category[i];
    const char *name, *plural, *super;
    int64_t id;
    if (!read_id(item, "id", &id, err) || !lp_json_string(item, "name", NULL, &name, err) ||
        !lp_json_string(item, "plural", NULL, &plural, err) || !lp_json_string(item, "supercategory", "", &super, err))
        return false;
    if (!name || !*name)
        return lp_error_set(err, LP_EINPUT, "it has no name");
    if (!put(&r->category, id, i))
        return lp_error_set(err, LP_EINPUT, "there are two categories %lld", (long long)id);
    const json_t *synonyms = json_object_get(item, "synonyms"), *word;
    const char **list = lp_arena_array(r->arena, json_array_size(synonyms) + 1, sizeof *list);
    size_t k, n = 0;
    json_array_foreach((json_t *)synonyms, k, word)
        if (list && json_string_length(word) && !(list[n++] = keep(r, json_string_value(word), err)))
            return false;
    c->synonym = list;
    c->name = keep(r, name, err);
    c->supercategory = keep(r, super, err);
    c->plural = plural ? keep(r, plural, err) : lp_arena_printf(r->arena, "%ss", name);
    return (list && c->name && c->supercategory && c->plural) || lp_error_memory(err);
}

static bool read_picture(struct reader *r, const json_t *item, int32_t i, struct lp_error *err) {
    struct lp_truth_picture *p = &r->truth->picture[i];
    const char *file, *background;
    int64_t width, height;
    if (!read_id(item, "id", &p->id, err) || !lp_json_string(item, "file_name", NULL, &file, err) ||
        !lp_json_string(item, "background", NULL, &background, err) ||
        !lp_json_int(item, "width", 0, 1, 1 << 20, &width, err) || !lp_json_int(item, "height", 0, 1, 1 << 20, &height, err))
        return lp_error_prefix(err, "image %d of the list", (int)i + 1);
    if (!file || !*file || *file == '/' || strstr(file, ".."))
        return lp_error_set(err, LP_EINPUT, "image %lld has no file name inside the folder", (long long)p->id);
    if (width * height > LP_IMAGE_MAX_PIXELS)
        return lp_error_set(err, LP_EINPUT, "image %lld is larger than %d pixels", (long long)p->id, LP_IMAGE_MAX_PIXELS);
    if (!put(&r->picture, p->id, i))
        return lp_error_set(err, LP_EINPUT, "there are two images %lld", (long long)p->id);
    p->file = keep(r, file, err);
    p->background = keep(r, background, err);
    p->width = (int)width;
    p->height = (int)height;
    return p->file && (p->background || !background);
}

/* The entry's picture; NULL after an error. */
static struct lp_truth_picture *picture_of(struct reader *r, const json_t *item, struct lp_error *err) {
    int64_t id;
    if (!read_id(item, "image_id", &id, err))
        return NULL;
    int32_t at = find(&r->picture, id);
    if (at < 0)
        lp_error_set(err, LP_EINPUT, "there is no image %lld", (long long)id);
    return at < 0 ? NULL : &r->truth->picture[at];
}

/* [x,y,w,h] to x0 y0 x1 y1 inside the picture; COCO's own go over the edge by a rounding. */
static bool read_box(const json_t *item, const struct lp_truth_picture *p, float box[4], struct lp_error *err) {
    const json_t *list = json_object_get(item, "bbox");
    double v[4];
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(list, i);
        v[i] = json_is_number(number) ? json_number_value(number) : NAN;
    }
    bool sane = v[0] >= -1 && v[1] >= -1 && v[2] >= 0 && v[3] >= 0 && v[0] + v[2] <= p->width + 1 && v[1] + v[3] <= p->height + 1;
    if (!sane)
        return lp_error_set(err, LP_EINPUT, "its box is not [x, y, width, height] inside the picture");
    box[0] = (float)fmax(0, v[0]);
    box[1] = (float)fmax(0, v[1]);
    box[2] = (float)fmin(p->width, v[0] + v[2]);
    box[3] = (float)fmin(p->height, v[1] + v[3]);
    return true;
}

/* The mask's counts where they are COCO's compressed ones; polygons and plain counts are left out. */
static bool read_mask(struct reader *r, const json_t *item, const struct lp_truth_picture *p, struct lp_truth_object *o,
                      struct lp_error *err) {
    const json_t *segmentation = json_object_get(item, "segmentation"), *size = json_object_get(segmentation, "size");
    const char *counts = json_string_value(json_object_get(segmentation, "counts"));
    int64_t area;
    if (!counts)
        return true;
    if (json_integer_value(json_array_get(size, 0)) != p->height || json_integer_value(json_array_get(size, 1)) != p->width)
        return lp_error_set(err, LP_EINPUT, "its mask's size is not [%d, %d] as the picture's", p->height, p->width);
    return lp_rle_check(counts, strlen(counts), p->width, p->height, &area, err) && (o->rle = keep(r, counts, err));
}

static bool read_object(struct reader *r, const json_t *item, struct lp_truth_picture *p, struct lp_truth_object *o,
                        struct lp_error *err) {
    int64_t category, depth;
    double area;
    const json_t *attributes = json_object_get(item, "attributes");
    if (!read_id(item, "category_id", &category, err) || !read_box(item, p, o->box, err) ||
        !lp_json_number(item, "area", 0, &area, err) || !lp_json_int(item, "depth", 0, 0, FINE, &depth, err))
        return false;
    if ((o->category = find(&r->category, category)) < 0)
        return lp_error_set(err, LP_EINPUT, "there is no category %lld", (long long)category);
    if (!(area >= 0 && area <= (double)p->width * p->height))
        return lp_error_set(err, LP_EINPUT, "its area is not between 0 and the picture's");
    const char *color = json_string_value(json_object_get(attributes, "color"));
    const char *size = json_string_value(json_object_get(attributes, "size"));
    o->color = keep(r, color, err);
    o->size = keep(r, size, err);
    o->area = (float)area;
    o->depth = (int)depth;
    o->part_of = -1;
    return (o->color || !color) && (o->size || !size) && read_mask(r, item, p, o, err);
}

/* Whether it is a part; null is the same as nothing. */
static bool is_part(const json_t *item) {
    const json_t *whole = json_object_get(item, "part_of");
    return whole && !json_is_null(whole);
}

static bool read_whole(struct reader *r, const json_t *item, const struct lp_truth_picture *p, struct lp_truth_object *o,
                       struct lp_error *err) {
    int64_t id;
    if (!read_id(item, "part_of", &id, err))
        return false;
    o->part_of = find(&r->object, id);
    return (o->part_of >= 0 && o->part_of < p->wholes && p->object[o->part_of].id == id) ||
           lp_error_set(err, LP_EINPUT, "it is part of %lld, which is no whole thing in the picture", (long long)id);
}

/* Counts first, then a place for each, whole things before parts. */
static bool read_objects(struct reader *r, json_t *list, struct lp_error *err) {
    struct lp_truth *t = r->truth;
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item) {
        struct lp_truth_picture *p = picture_of(r, item, err);
        if (!p)
            return lp_error_prefix(err, "annotation %zu of the list", i + 1);
        p->objects++;
        p->wholes += !is_part(item);
    }
    for (int64_t k = 0; k < t->pictures; k++) {
        struct lp_truth_picture *p = &t->picture[k];
        p->object = lp_arena_array(r->arena, (size_t)p->objects + 1, sizeof *p->object);
        if (!p->object)
            return lp_error_memory(err);
        p->objects = p->wholes;
        p->wholes = 0;
    }
    for (int parts = 0; parts < 2; parts++)
        json_array_foreach(list, i, item) {
            if (is_part(item) != (parts == 1))
                continue;
            struct lp_truth_picture *p = picture_of(r, item, err);
            int at = p ? (parts ? p->objects++ : p->wholes++) : 0;
            struct lp_truth_object *o = p ? &p->object[at] : NULL;
            bool ok = o && read_id(item, "id", &o->id, err) && read_object(r, item, p, o, err);
            ok = ok && (!parts || read_whole(r, item, p, o, err));
            if (ok && !put(&r->object, o->id, at))
                ok = lp_error_set(err, LP_EINPUT, "there are two annotations %lld", (long long)o->id);
            if (!ok)
                return lp_error_prefix(err, "annotation %zu of the list", i + 1);
        }
    return true;
}

/* ---- the files beside: each entry goes to its picture ---- */

static bool add_caption(struct reader *r, const json_t *item, struct lp_truth_picture *p, struct lp_error *err) {
    const char *text = json_string_value(json_object_get(item, "caption"));
    if (!text)
        return lp_error_set(err, LP_EINPUT, "it has no 'caption'");
    return (p->caption[p->captions++] = keep(r, text, err));
}

static bool add_text(struct reader *r, const json_t *item, struct lp_truth_picture *p, struct lp_error *err) {
    const char *text = json_string_value(json_object_get(item, "text"));
    if (!text)
        return lp_error_set(err, LP_EINPUT, "it has no 'text'");
    struct lp_truth_text *t = &p->text[p->texts++];
    return (t->text = keep(r, text, err)) && read_box(item, p, t->box, err);
}

static bool add_relation(struct reader *r, const json_t *item, struct lp_truth_picture *p, struct lp_error *err) {
    const char *predicate = json_string_value(json_object_get(item, "predicate"));
    int64_t subject, object;
    if (!read_id(item, "subject", &subject, err) || !read_id(item, "object", &object, err))
        return false;
    struct lp_truth_relation *x = &p->relation[p->relations++];
    *x = (struct lp_truth_relation){find(&r->object, subject), find(&r->object, object), keep(r, predicate, err)};
    bool sane = predicate && x->subject >= 0 && x->object >= 0 && x->subject < p->objects && x->object < p->objects &&
                p->object[x->subject].id == subject && p->object[x->object].id == object;
    return sane ? x->predicate != NULL : lp_error_set(err, LP_EINPUT, "it relates things that are not in the picture");
}

static bool give_room(struct reader *r, json_t *list, int kind, struct lp_error *err) {
    json_t *item;
    size_t i;
    struct lp_truth *t = r->truth;
    int *count = lp_alloc_array((size_t)t->pictures + 1, sizeof *count);
    bool ok = count || lp_error_memory(err);
    json_array_foreach(list, i, item) {
        struct lp_truth_picture *p = ok ? picture_of(r, item, err) : NULL;
        if (!p) {
            ok = false;
            break;
        }
        count[p - t->picture]++;
    }
    for (int64_t k = 0; ok && k < t->pictures; k++) {
        struct lp_truth_picture *p = &t->picture[k];
        size_t n = (size_t)count[k] + 1;
        if (kind == 0)
            ok = (p->caption = lp_arena_array(r->arena, n, sizeof *p->caption));
        else if (kind == 1)
            ok = (p->text = lp_arena_array(r->arena, n, sizeof *p->text));
        else
            ok = (p->relation = lp_arena_array(r->arena, n, sizeof *p->relation));
        if (!ok)
            lp_error_memory(err);
    }
    lp_free(count);
    return ok;
}

static bool read_beside(struct reader *r, const char *folder, int kind, struct lp_error *err) {
    static const struct {
        const char *file;
        bool (*add)(struct reader *r, const json_t *item, struct lp_truth_picture *p, struct lp_error *err);
    } files[] = {{"captions.json", add_caption}, {"texts.json", add_text}, {"relations.json", add_relation}};
    char path[PATH_MAX];
    if (!lp_file_join(path, sizeof path, folder, files[kind].file, err))
        return false;
    if (!lp_file_exists(path))
        return true;
    json_t *file = lp_json_load(path, err), *item;
    json_t *list = file ? list_of(file, "annotations", err) : NULL;
    size_t i;
    bool ok = list && give_room(r, list, kind, err);
    json_array_foreach(list, i, item) {
        struct lp_truth_picture *p = ok ? picture_of(r, item, err) : NULL;
        ok = p && files[kind].add(r, item, p, err);
        if (!ok) {
            lp_error_prefix(err, "annotation %zu of the list", i + 1);
            break;
        }
    }
    json_decref(file);
    return ok || (file && lp_error_prefix(err, "%s", path));
}

static bool read_instances(struct reader *r, const char *path, struct lp_error *err) {
    struct lp_truth *t = r->truth;
    json_t *file = lp_json_load(path, err), *item;
    if (!file)
        return false;
    json_t *categories = list_of(file, "categories", err), *pictures = list_of(file, "images", err);
    json_t *objects = list_of(file, "annotations", err);
    size_t nc = json_array_size(categories), np = json_array_size(pictures), no = json_array_size(objects), i;
    bool ok = categories && pictures && objects;
    if (ok && (nc > FINE || np > FINE || no > FINE))
        ok = lp_error_set(err, LP_EINPUT, "it has too many entries");
    t->category = ok ? lp_arena_array(r->arena, nc + 1, sizeof *t->category) : NULL;
    t->picture = ok ? lp_arena_array(r->arena, np + 1, sizeof *t->picture) : NULL;
    if (ok && (!t->category || !t->picture || !index_init(&r->category, nc) || !index_init(&r->picture, np) ||
               !index_init(&r->object, no)))
        ok = lp_error_memory(err);
    t->categories = (int)nc;
    t->pictures = (int64_t)np;
    json_array_foreach(categories, i, item)
        ok = ok && (read_category(r, item, (int)i, err) || lp_error_prefix(err, "category %zu of the list", i + 1));
    json_array_foreach(pictures, i, item)
        ok = ok && read_picture(r, item, (int32_t)i, err);
    ok = ok && read_objects(r, objects, err);
    json_decref(file);
    return ok || lp_error_prefix(err, "%s", path);
}

struct lp_truth *lp_truth_open(const char *folder, struct lp_error *err) {
    char path[PATH_MAX];
    struct lp_truth_memory *m = lp_alloc(sizeof *m);
    if (!m) {
        lp_error_memory(err);
        return NULL;
    }
    struct reader r = {.truth = &m->truth, .arena = &m->arena};
    bool ok = lp_file_join(path, sizeof path, folder, "instances.json", err) && read_instances(&r, path, err);
    for (int kind = 0; ok && kind < 3; kind++)
        ok = read_beside(&r, folder, kind, err);
    index_done(&r.category);
    index_done(&r.picture);
    index_done(&r.object);
    if (ok)
        return &m->truth;
    lp_truth_close(&m->truth);
    return NULL;
}

void lp_truth_close(struct lp_truth *truth) {
    struct lp_truth_memory *m = (struct lp_truth_memory *)truth;
    if (!m)
        return;
    lp_arena_done(&m->arena);
    lp_free(m);
}

int lp_truth_count(const struct lp_truth_picture *picture, int category) {
    int n = 0;
    for (int i = 0; i < picture->wholes; i++)
        n += picture->object[i].category == category;
    return n;
}

bool lp_truth_shows(const struct lp_truth_picture *picture, int category) {
    bool shows = false;
    for (int i = 0; i < picture->objects; i++)
        shows |= picture->object[i].category == category;
    return shows;
}
