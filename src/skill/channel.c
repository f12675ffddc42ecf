/* SPDX-License-Identifier: MIT */
/* skill/channel.c - a message: its head, the JSON text, then of each object an item, its text and its pixels. Both ends are the
 * same program on the same machine, so that numbers go as they lie in memory. */
#include "skill/channel.h"

#include "base/memory.h"
#include "image/image.h"
#include "text/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_JSON = 64 << 20, MOST_OBJECTS = 4096, MOST_NUMBER = 999999 };

struct head {
    uint64_t json; /* bytes */
    int64_t objects;
};

struct item {
    int32_t kind, number, width, height, count;
    float box[4], score;
    uint32_t has_text, text; /* bytes */
};

static bool nonsense(struct lp_error *err) {
    return lp_error_set(err, LP_EINPUT, "the other process says what makes no sense");
}

static bool has_pixels(const struct item *i) {
    return i->kind == LP_OBJECT_IMAGE || i->kind == LP_OBJECT_MASK || i->kind == LP_OBJECT_MAP;
}

static size_t pixel_bytes(const struct item *i) {
    size_t n = has_pixels(i) ? (size_t)i->width * (size_t)i->height : 0;
    return i->kind == LP_OBJECT_IMAGE ? 3 * n : n;
}

static bool put_object(const struct lp_stream *s, const struct lp_object *o, struct lp_error *err) {
    struct item i = {.kind = (int32_t)o->kind,
                     .number = o->number,
                     .width = o->picture ? o->picture->width : o->width,
                     .height = o->picture ? o->picture->height : o->height,
                     .count = o->count,
                     .score = o->score,
                     .has_text = o->text != NULL,
                     .text = o->text ? (uint32_t)strlen(o->text) : 0};
    memcpy(i.box, o->box, sizeof i.box);
    return lp_stream_put(s, &i, sizeof i, err) && lp_stream_put(s, o->text, i.text, err) &&
           lp_stream_put(s, o->picture ? o->picture->pixel : o->pixel, pixel_bytes(&i), err);
}

bool lp_channel_send(const struct lp_stream *s, const json_t *value, const struct lp_object *const *object, int n,
                     struct lp_error *err) {
    char *text = lp_json_text(value);
    if (!text)
        return lp_error_memory(err);
    const struct head head = {strlen(text), n};
    bool done = lp_stream_put(s, &head, sizeof head, err) && lp_stream_put(s, text, head.json, err);
    for (int i = 0; done && i < n; i++)
        done = put_object(s, object[i], err);
    lp_free(text);
    return done;
}

/* Whether an item can be an object's: what its pixels and its text take is then within *most, and taken off it. */
static bool makes_sense(const struct item *i, size_t *most) {
    bool good = i->kind >= 0 && i->kind < LP_OBJECT_KINDS && i->number >= 0 && i->number <= MOST_NUMBER && isfinite(i->score);
    for (int k = 0; k < 4; k++)
        good = good && isfinite(i->box[k]);
    if (has_pixels(i))
        good = good && i->width > 0 && i->height > 0 && (int64_t)i->width * i->height <= LP_IMAGE_MAX_PIXELS;
    good = good && i->text <= *most && pixel_bytes(i) <= *most - i->text;
    *most -= good ? i->text + pixel_bytes(i) : 0;
    return good;
}

static struct lp_object *add(struct lp_objects *to, const struct item *i, const char *text, const uint8_t *pixel,
                             struct lp_error *err) {
    switch ((enum lp_object_kind)i->kind) {
    case LP_OBJECT_MASK:
        return lp_objects_add_mask(to, i->width, i->height, pixel, text, i->score, err);
    case LP_OBJECT_MAP:
        return lp_objects_add_map(to, i->width, i->height, pixel, err);
    case LP_OBJECT_BOX:
        return lp_objects_add_box(to, i->box, text, i->score, err);
    case LP_OBJECT_POINT:
        return lp_objects_add_point(to, i->box[0], i->box[1], err);
    case LP_OBJECT_TEXT:
        return lp_objects_add_text(to, text ? text : "", i->score, err);
    default:
        return lp_objects_add_count(to, i->count, text, err);
    }
}

static struct lp_object *get_image(const struct lp_stream *s, struct lp_objects *to, const struct item *i,
                                   struct lp_error *err) {
    struct lp_image *image = lp_image_new(i->width, i->height, err);
    if (image && lp_stream_get(s, image->pixel, pixel_bytes(i), err))
        return lp_objects_add_image(to, image, err);
    lp_image_close(image);
    return NULL;
}

static struct lp_object *get_other(const struct lp_stream *s, struct lp_objects *to, const struct item *i,
                                   struct lp_error *err) {
    char *text = i->has_text ? lp_alloc((size_t)i->text + 1) : NULL;
    uint8_t *pixel = pixel_bytes(i) ? lp_alloc(pixel_bytes(i)) : NULL;
    struct lp_object *o = NULL;
    if ((i->has_text && !text) || (pixel_bytes(i) && !pixel))
        lp_error_memory(err);
    else if (lp_stream_get(s, text, i->text, err) && lp_stream_get(s, pixel, pixel_bytes(i), err)) {
        if (text && (strlen(text) != i->text || !lp_utf8_valid(text, i->text)))
            nonsense(err);
        else
            o = add(to, i, text, pixel, err);
    }
    lp_free(text);
    lp_free(pixel);
    return o;
}

static bool get_object(const struct lp_stream *s, struct lp_objects *to, size_t *most, struct lp_error *err) {
    struct item i;
    if (!lp_stream_get(s, &i, sizeof i, err))
        return false;
    if (!makes_sense(&i, most))
        return nonsense(err);
    struct lp_object *o = (i.kind == LP_OBJECT_IMAGE ? get_image : get_other)(s, to, &i, err);
    if (!o)
        return false;
    o->number = i.number;
    snprintf(o->handle, sizeof o->handle, "%s_%d", lp_object_kind_name(o->kind), o->number);
    return true;
}

json_t *lp_channel_receive(const struct lp_stream *s, struct lp_objects *objects, size_t most, struct lp_error *err) {
    struct head head;
    if (!lp_stream_get(s, &head, sizeof head, err))
        return NULL;
    if (head.json > most || head.json > MOST_JSON || head.objects < 0 || head.objects > MOST_OBJECTS) {
        nonsense(err);
        return NULL;
    }
    most -= head.json;
    char *text = lp_alloc(head.json + 1);
    bool done = text ? lp_stream_get(s, text, head.json, err) : lp_error_memory(err);
    json_t *value = done ? lp_json_parse(text, head.json, "what the other process says", err) : NULL;
    lp_free(text);
    done = value != NULL;
    for (int64_t i = 0; done && i < head.objects; i++)
        done = get_object(s, objects, &most, err);
    if (done)
        return value;
    json_decref(value);
    return NULL;
}
