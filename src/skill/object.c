/* SPDX-License-Identifier: MIT */
/* skill/object.c - the growing list of a conversation's objects. */
#include "skill/object.h"

#include "base/memory.h"
#include "image/boxes.h"
#include "image/image.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[LP_OBJECT_KINDS] = {"img", "mask", "box",  "point",
                                                        "map", "text", "count"};

const char *lp_object_kind_name(enum lp_object_kind kind) {
    return kind_names[kind];
}

static void object_close(struct lp_object *object) {
    if (!object)
        return;
    lp_image_close(object->picture);
    lp_free(object->pixel);
    lp_free(object->text);
    lp_free(object);
}

void lp_objects_cut(struct lp_objects *o, int n) {
    while (o->n > n)
        object_close(o->item[--o->n]);
}

void lp_objects_done(struct lp_objects *objects) {
    lp_objects_cut(objects, 0);
    lp_free(objects->item);
    *objects = (struct lp_objects){0};
}

/* Makes room for n more. */
static bool reserve(struct lp_objects *o, int n, struct lp_error *err) {
    if (o->capacity - o->n >= n)
        return true;
    if (n > INT_MAX / 4 - o->n)
        return lp_error_memory(err);
    int capacity = 2 * (o->n + n) + 8;
    struct lp_object **item = lp_realloc(o->item, (size_t)capacity * sizeof *item);
    if (!item)
        return lp_error_memory(err);
    o->item = item;
    o->capacity = capacity;
    return true;
}

static void append(struct lp_objects *o, struct lp_object *object) {
    object->number = lp_objects_count(o, object->kind) + 1;
    snprintf(object->handle, sizeof object->handle, "%s_%d", kind_names[object->kind], object->number);
    o->item[o->n++] = object;
}

/* Adds an object that holds copies of text and of n bytes of pixels, either of which may be NULL. */
static struct lp_object *add(struct lp_objects *o, enum lp_object_kind kind, const char *text,
                             const uint8_t *pixel, size_t n, struct lp_error *err) {
    struct lp_object *object = lp_alloc(sizeof *object);
    if (!object || !reserve(o, 1, err))
        goto fail;
    object->kind = kind;
    object->score = 1;
    if (text) {
        object->text = lp_alloc(strlen(text) + 1);
        if (!object->text)
            goto fail;
        strcpy(object->text, text);
    }
    if (pixel) {
        object->pixel = lp_alloc(n);
        if (!object->pixel)
            goto fail;
        memcpy(object->pixel, pixel, n);
    }
    append(o, object);
    return object;
fail:
    object_close(object);
    lp_error_memory(err);
    return NULL;
}

struct lp_object *lp_objects_add_image(struct lp_objects *o, struct lp_image *taken, struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_IMAGE, NULL, NULL, 0, err);
    if (object)
        object->picture = taken;
    else
        lp_image_close(taken);
    return object;
}

struct lp_object *lp_objects_add_mask(struct lp_objects *o, int width, int height, const uint8_t *pixel,
                                      const char *label, float score, struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_MASK, label, pixel, (size_t)width * (size_t)height, err);
    if (object) {
        object->width = width;
        object->height = height;
        object->score = score;
    }
    return object;
}

struct lp_object *lp_objects_add_map(struct lp_objects *o, int width, int height, const uint8_t *pixel,
                                     struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_MAP, NULL, pixel, (size_t)width * (size_t)height, err);
    if (object) {
        object->width = width;
        object->height = height;
    }
    return object;
}

struct lp_object *lp_objects_add_box(struct lp_objects *o, const float box[4], const char *label, float score,
                                     struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_BOX, label, NULL, 0, err);
    if (object) {
        memcpy(object->box, box, sizeof object->box);
        object->score = score;
    }
    return object;
}

struct lp_object *lp_objects_add_point(struct lp_objects *o, float x, float y, struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_POINT, NULL, NULL, 0, err);
    if (object) {
        object->box[0] = x;
        object->box[1] = y;
    }
    return object;
}

struct lp_object *lp_objects_add_text(struct lp_objects *o, const char *text, float score,
                                      struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_TEXT, text, NULL, 0, err);
    if (object)
        object->score = score;
    return object;
}

struct lp_object *lp_objects_add_count(struct lp_objects *o, int count, const char *label,
                                       struct lp_error *err) {
    struct lp_object *object = add(o, LP_OBJECT_COUNT, label, NULL, 0, err);
    if (object)
        object->count = count;
    return object;
}

bool lp_objects_move(struct lp_objects *to, struct lp_objects *from, struct lp_error *err) {
    if (!reserve(to, from->n, err))
        return false;
    for (int i = 0; i < from->n; i++)
        append(to, from->item[i]);
    from->n = 0;
    return true;
}

struct lp_object *lp_objects_find(const struct lp_objects *o, const char *handle) {
    for (int i = 0; i < o->n; i++)
        if (!strcmp(o->item[i]->handle, handle))
            return o->item[i];
    return NULL;
}

struct lp_object *lp_objects_newest(const struct lp_objects *o, enum lp_object_kind kind) {
    for (int i = o->n - 1; i >= 0; i--)
        if (o->item[i]->kind == kind)
            return o->item[i];
    return NULL;
}

int lp_objects_count(const struct lp_objects *o, enum lp_object_kind kind) {
    const struct lp_object *newest = lp_objects_newest(o, kind);
    return newest ? newest->number : 0;
}

bool lp_handle_parse(const char *text, enum lp_object_kind *kind, int *number) {
    for (int k = 0; k < LP_OBJECT_KINDS; k++) {
        size_t n = strlen(kind_names[k]);
        if (strncmp(text, kind_names[k], n) || text[n] != '_')
            continue;
        const char *digits = text + n + 1;
        size_t length = strspn(digits, "0123456789");
        if (!length || length > 6 || digits[length] || digits[0] == '0')
            return false;
        *kind = (enum lp_object_kind)k;
        *number = 0;
        for (; *digits; digits++)
            *number = 10 * *number + (*digits - '0');
        return true;
    }
    return false;
}

void lp_objects_format_handles(const struct lp_objects *o, int first, struct lp_str *out) {
    static const enum lp_object_kind order[] = {LP_OBJECT_TEXT, LP_OBJECT_COUNT, LP_OBJECT_BOX,
                                                LP_OBJECT_MASK, LP_OBJECT_MAP,   LP_OBJECT_IMAGE,
                                                LP_OBJECT_POINT};
    const char *comma = "";
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        int lo = 0, hi = 0; /* numbers of one kind are consecutive */
        for (int i = first; i < o->n; i++)
            if (o->item[i]->kind == order[k]) {
                hi = o->item[i]->number;
                lo = lo ? lo : hi;
            }
        if (!lo)
            continue;
        const char *name = kind_names[order[k]];
        lp_str_printf(out, "%s%s_%d", comma, name, lo);
        if (hi > lo)
            lp_str_printf(out, "..%s_%d", name, hi);
        comma = ", ";
    }
}

/* "place_12" -> "box_12". */
static bool place_of_box(const char *name, char handle[24]) {
    static const char place[] = "place_";
    if (strncmp(name, place, sizeof place - 1))
        return false;
    snprintf(handle, 24, "box_%.19s", name + sizeof place - 1);
    return true;
}

static void quote_object(const struct lp_object *object, struct lp_str *out) {
    if (object->kind == LP_OBJECT_COUNT)
        lp_str_printf(out, "%d", object->count);
    else if (object->text && object->kind == LP_OBJECT_TEXT)
        lp_str_puts(out, object->text);
    else if (object->text && object->kind == LP_OBJECT_BOX)
        lp_str_printf(out, "%s %s", object->text, lp_place_names[lp_box_place(object->box)]);
    else if (object->kind == LP_OBJECT_BOX)
        lp_str_printf(out, "[%.2f, %.2f, %.2f, %.2f]", object->box[0], object->box[1], object->box[2],
                      object->box[3]);
    else
        lp_str_puts(out, object->handle);
}

void lp_objects_quote(const struct lp_objects *o, const char *text, struct lp_str *out) {
    while (*text) {
        size_t n = strcspn(text, "{");
        lp_str_add(out, text, n);
        text += n;
        if (!*text)
            break;
        char name[24], box[24];
        enum lp_object_kind kind;
        int number;
        n = strcspn(text + 1, "{}");
        bool closed = text[1 + n] == '}' && n < sizeof name;
        if (closed)
            snprintf(name, sizeof name, "%.*s", (int)n, text + 1);
        bool place = closed && place_of_box(name, box);
        const char *handle = place ? box : name;
        if (!closed || !lp_handle_parse(handle, &kind, &number)) {
            lp_str_putc(out, *text++); /* a brace like any other character */
            continue;
        }
        const struct lp_object *object = lp_objects_find(o, handle);
        if (object && place)
            lp_str_puts(out, lp_place_names[lp_box_place(object->box)]);
        else if (object)
            quote_object(object, out);
        else
            lp_str_puts(out, name);
        text += n + 2;
    }
}
