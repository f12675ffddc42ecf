/* SPDX-License-Identifier: MIT */
/* plan/report.c - replies and objects as JSON for programs. */
#include "plan/agent.h"
#include "skill/palette.h"

#include <math.h>

/* A number as it was given, without the noise of its float. */
static json_t *number(float x) {
    return json_real(round((double)x * 1e6) / 1e6);
}

static json_t *numbers(const float *x, int n) {
    json_t *list = json_array();
    for (int i = 0; list && i < n; i++)
        if (json_array_append_new(list, number(x[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* The classes that a map holds, with what they are called and drawn in, and their part of the picture. */
static json_t *classes(const struct lp_object *map) {
    size_t count[256] = {0}, n = (size_t)map->width * (size_t)map->height;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        count[map->pixel[i]]++;
    for (int c = 0; list && c < LP_PALETTE_CLASSES; c++) {
        const uint8_t *rgb = lp_palette[c];
        if (count[c] &&
            json_array_append_new(list, json_pack("{s:i, s:s, s:o, s:o}", "class", c, "label", lp_palette_name[c], "color",
                                                  json_sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2]), "share",
                                                  number((float)count[c] / (float)n)))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *lp_object_json(const struct lp_object *o) {
    json_t *out = json_pack("{s:s, s:s}", "handle", o->handle, "kind", lp_object_kind_name(o->kind));
    bool done = out != NULL;
    if (o->kind == LP_OBJECT_BOX || o->kind == LP_OBJECT_POINT)
        done = done && !json_object_set_new(out, o->kind == LP_OBJECT_BOX ? "box" : "point",
                                            numbers(o->box, o->kind == LP_OBJECT_BOX ? 4 : 2));
    if (o->kind == LP_OBJECT_COUNT)
        done = done && !json_object_set_new(out, "count", json_integer(o->count));
    if (o->text)
        done = done &&
               !json_object_set_new(out, o->kind == LP_OBJECT_TEXT ? "text" : "label", json_string(o->text));
    int width = o->picture ? o->picture->width : o->width,
        height = o->picture ? o->picture->height : o->height;
    if (width)
        done = done && !json_object_set_new(out, "width", json_integer(width)) &&
               !json_object_set_new(out, "height", json_integer(height));
    if (o->kind == LP_OBJECT_MAP && o->pixel)
        done = done && !json_object_set_new(out, "classes", classes(o));
    if (o->on)
        done = done && !json_object_set_new(out, "picture", json_sprintf("%s_%d", lp_object_kind_name(LP_OBJECT_IMAGE), o->on));
    if (o->kind == LP_OBJECT_BOX || o->kind == LP_OBJECT_MASK || o->kind == LP_OBJECT_TEXT)
        done = done && !json_object_set_new(out, "score", number(o->score));
    if (done)
        return out;
    json_decref(out);
    return NULL;
}

json_t *lp_objects_json(const struct lp_objects *objects) {
    json_t *list = json_array();
    for (int i = 0; list && i < objects->n; i++)
        if (json_array_append_new(list, lp_object_json(objects->item[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *lp_reply_json(const struct lp_reply *r, const struct lp_objects *objects) {
    json_t *list = lp_objects_json(objects);
    json_t *out =
        list ? json_pack("{s:s, s:O, s:O, s:O, s:s, s:O}", "thoughts", r->thoughts, "actions", r->actions,
                         "skills", r->skills, "results", r->results, "value", r->value, "objects", list)
             : NULL;
    json_decref(list);
    return out;
}
