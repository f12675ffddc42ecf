/* SPDX-License-Identifier: MIT */
/* skill/wire_serve.c - a worker's side: a request becomes a call, what the call left becomes the response. */
#include "base/memory.h"
#include "image/draw.h"
#include "skill/wire_inner.h"

#include <string.h>

/* What a request is about. */
struct served {
    struct lp_objects objects;
    json_t *params, *normal;
    struct lp_image *reference;
    float reference_box[4];
    struct lp_call call;
};

static void served_done(struct served *s) {
    lp_call_done(&s->call);
    lp_objects_done(&s->objects);
    lp_image_close(s->reference);
    json_decref(s->params);
    json_decref(s->normal);
}

static const json_t *given(const json_t *request, const char *key) {
    const json_t *value = json_object_get(request, key);
    return json_is_null(value) ? NULL : value;
}

/* Pixels that stand in the request itself become objects, which the parameter then names. The original calls all of them
 * "mask". */
static bool read_handle(struct served *s, const struct lp_param *p, const json_t *request, struct lp_error *err) {
    const json_t *value = given(request, "mask");
    bool map = p->handle == LP_OBJECT_MAP;
    if (!value)
        return lp_error_set(err, LP_EINPUT, "'mask' is missing: %s", p->about);
    if (map ? !lp_wire_read_map(&s->objects, value, "mask", err)
            : !lp_wire_read_mask(&s->objects, value, 0, 0, NULL, err))
        return false;
    return !json_object_set_new(s->params, p->name, json_string(map ? "map_1" : "mask_1")) || lp_error_memory(err);
}

/* The box around what is marked in the reference's mask: channel 0 over 0. */
static bool read_reference(struct served *s, const json_t *request, struct lp_error *err) {
    const json_t *mask = given(request, "refmask");
    if (!given(request, "refimg") || !(s->reference = lp_wire_read_picture(given(request, "refimg"), "refimg", err)))
        return given(request, "refimg") ? false : lp_error_set(err, LP_EINPUT, "'refimg' is missing: a reference picture");
    struct lp_image *image = mask ? lp_wire_read_picture(mask, "refmask", err) : NULL;
    if (!image)
        return !mask;
    int x0 = image->width, y0 = image->height, x1 = 0, y1 = 0;
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            if (image->pixel[3 * ((size_t)y * (size_t)image->width + (size_t)x)]) {
                x0 = x < x0 ? x : x0;
                x1 = x + 1 > x1 ? x + 1 : x1;
                y0 = y < y0 ? y : y0;
                y1 = y + 1;
            }
    if (x1) {
        const float box[4] = {(float)x0 / (float)image->width, (float)y0 / (float)image->height,
                              (float)x1 / (float)image->width, (float)y1 / (float)image->height};
        memcpy(s->reference_box, box, sizeof box);
        s->call.reference_boxes = 1;
    }
    lp_image_close(image);
    return true;
}

static bool read_request(struct served *s, const json_t *request, struct lp_error *err) {
    const struct lp_skill *skill = s->call.skill;
    const struct lp_param *p;
    const json_t *image = given(request, "image");
    s->params = json_copy((json_t *)request);
    if (!s->params)
        return lp_error_memory(err);
    json_object_del(s->params, "image");
    if (skill->needs & LP_NEEDS_PICTURE) {
        struct lp_image *picture =
            image ? lp_wire_read_picture(image, "image", err) : NULL;
        if (!picture)
            return image ? false : lp_error_set(err, LP_EINPUT, "'image' is missing");
        if (!lp_objects_add_image(&s->objects, picture, err))
            return false;
    }
    for (int i = 0; (p = lp_skill_param(skill, i)); i++)
        if (p->kind == LP_PARAM_HANDLE && p->handle != LP_OBJECT_IMAGE && !read_handle(s, p, request, err))
            return false;
    if (skill->needs & LP_NEEDS_REFERENCE && !read_reference(s, request, err))
        return false;
    s->normal = lp_skill_check(skill, s->params, err);
    return s->normal != NULL;
}

/* The picture with what was found in it drawn, one object or all. */
static json_t *overlay(const struct lp_call *call, int first, int n, struct lp_error *err) {
    struct lp_call some = *call;
    some.first = first;
    some.count = n;
    struct lp_image *drawn = lp_call_annotate(&some, err);
    json_t *value = drawn ? lp_wire_picture(drawn, "a.jpg", err) : NULL;
    lp_image_close(drawn);
    return value;
}

/* Adds a value, which is given away and NULL on failure, to an object or a list. */
static bool put(json_t *to, const char *key, json_t *value, struct lp_error *err) {
    if (!value)
        return err->code ? false : lp_error_memory(err);
    return !(key ? json_object_set_new(to, key, value) : json_array_append_new(to, value)) || lp_error_memory(err);
}

/* A list with one value for each object of the kind. */
static json_t *list_of(const struct lp_call *call, enum lp_object_kind kind, bool drawn, struct lp_error *err) {
    json_t *list = json_array();
    bool done = list || lp_error_memory(err);
    for (int i = call->first; done && i < call->first + call->count; i++)
        if (call->objects->item[i]->kind == kind)
            done = put(list, NULL, drawn ? overlay(call, i, 1, err) : lp_wire_mask(call->objects->item[i], err), err);
    if (done)
        return list;
    json_decref(list);
    return NULL;
}

static const struct lp_object *left(const struct lp_call *call, enum lp_object_kind kind) {
    for (int i = call->first; i < call->first + call->count; i++)
        if (call->objects->item[i]->kind == kind)
            return call->objects->item[i];
    return NULL;
}

/* The masks that a skill left, in its worker's own way. */
static bool put_masks(json_t *out, const struct lp_call *call, struct lp_error *err) {
    const char *name = call->skill->name;
    if (!strcmp(name, "segment_levels"))
        return put(out, "iou_sort_masks", list_of(call, LP_OBJECT_MASK, true, err), err);
    if (!strcmp(name, "segment_like"))
        return put(out, "edited_image", overlay(call, call->first, call->count, err), err);
    if (!put(out, "masks_rle", list_of(call, LP_OBJECT_MASK, false, err), err))
        return false;
    if (strcmp(name, "segment_at"))
        return true;
    json_t *boxes = json_object_get(call->params, "boxes"); /* an echo; the original's null for points breaks its client */
    return put(out, "boxes", boxes ? json_incref(boxes) : json_array(), err);
}

static bool tells_size(const json_t *out) {
    return json_object_get(out, "logits") || json_object_get(out, "caption") || json_object_get(out, "tags") ||
           json_object_get(out, "retrieval_results");
}

static bool put_all(json_t *out, const struct lp_call *call, struct lp_error *err) {
    const char *key;
    json_t *value;
    const struct lp_object *image = left(call, LP_OBJECT_IMAGE), *map = left(call, LP_OBJECT_MAP);
    json_object_foreach(call->result, key, value) if (strcmp(key, "handles") && strcmp(key, "message") &&
                                                      json_object_set(out, key, value)) return lp_error_memory(err);
    if (call->skill->leaves & LP_LEAVES_MASK && !put_masks(out, call, err))
        return false;
    if (image && !put(out, "edited_image", lp_wire_picture(image->picture, "a.jpg", err), err))
        return false;
    if (map && !put(out, "image_seg", lp_wire_map(map, err), err))
        return false;
    if (!call->picture || !tells_size(out))
        return true;
    bool tags = !strcmp(call->skill->name, "tag"); /* tells what its network saw */
    return put(out, "size", json_pack("[i,i]", tags ? 384 : call->picture->height, tags ? 384 : call->picture->width), err);
}

json_t *lp_wire_serve(const struct lp_skill *skill, const json_t *request, struct lp_bench *bench, const atomic_bool *cancel,
                      struct lp_error *err) {
    const char *mode = json_string_value(json_object_get(request, "mode"));
    const struct lp_skill *partner = lp_wire_partner(skill);
    struct served s = {.call = {.skill = mode && partner && !strcmp(mode, partner->api_name) ? partner : skill,
                                .bench = bench,
                                .cancel = cancel}};
    s.call.objects = &s.objects;
    s.call.reference_box = (const float(*)[4]) & s.reference_box;
    json_t *out = json_object();
    bool done = out || lp_error_memory(err);
    done = done && read_request(&s, request, err);
    s.call.params = s.normal;
    s.call.reference = s.reference;
    done = done && lp_skill_run(&s.call, err) && put_all(out, &s.call, err);
    served_done(&s);
    if (done)
        return out;
    json_decref(out);
    return NULL;
}
