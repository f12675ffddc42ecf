/* SPDX-License-Identifier: MIT */
/* skill/wire_call.c - a client's side: a call becomes a request; the response becomes what the skill itself would have
 * left. Workers are not trusted: what they say is checked before it becomes an object. */
#include "base/memory.h"
#include "image/resize.h"
#include "skill/wire_inner.h"
#include "text/python.h"

#include <math.h>
#include <string.h>

enum { SIDE = 1536, MOST = 256, LONGEST = 1 << 16 }; /* px sent; things in a response; bytes of a text in it */

/* Adds a value, which is given away and NULL on failure. */
static bool put(json_t *to, const char *key, json_t *value, struct lp_error *err) {
    if (!value)
        return err->code ? false : lp_error_memory(err);
    return !json_object_set_new(to, key, value) || lp_error_memory(err);
}

static json_t *picture(const struct lp_image *image, struct lp_error *err) {
    int longest = image->width > image->height ? image->width : image->height;
    struct lp_image *small = NULL;
    if (longest > SIDE) {
        double scale = (double)SIDE / longest;
        small = lp_resize(image, (int)fmax(1, round(scale * image->width)), (int)fmax(1, round(scale * image->height)),
                          LP_BICUBIC, err);
        if (!small)
            return NULL;
    }
    json_t *value = lp_wire_picture(small ? small : image, "a.png", err);
    lp_image_close(small);
    return value;
}

/* sam's workers want a list of points for each thing. */
static json_t *groups(const json_t *items, bool each) {
    json_t *out = json_array();
    if (!each)
        json_array_append(out, (json_t *)items);
    for (size_t i = 0; each && i < json_array_size(items); i++)
        json_array_append_new(out, json_pack("[O]", json_array_get(items, i)));
    return out;
}

static bool put_points(json_t *q, const struct lp_call *call, const json_t *points, struct lp_error *err) {
    json_t *labels = json_object_get(call->params, "point_labels");
    if (strcmp(call->skill->name, "segment_at"))
        return put(q, "point", json_deep_copy(points), err);
    json_t *ones = json_array();
    for (size_t i = 0; !labels && i < json_array_size(points); i++)
        json_array_append_new(ones, json_pack("[i]", 1));
    bool done = put(q, "points", groups(points, !labels), err) && put(q, "point_labels", labels ? groups(labels, false) : json_incref(ones), err);
    json_decref(ones);
    return done;
}

/* Boxes by handle become numbers. */
static json_t *boxes_of(const struct lp_call *call, const json_t *boxes) {
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(boxes); i++) {
        json_t *item = json_array_get(boxes, i);
        const char *handle = json_string_value(item);
        const struct lp_object *o = handle ? lp_objects_find(call->objects, handle) : NULL;
        json_array_append_new(out, o ? json_pack("[f,f,f,f]", (double)o->box[0], (double)o->box[1], (double)o->box[2], (double)o->box[3])
                                     : json_incref(item));
    }
    return out;
}

static bool put_param(json_t *q, const struct lp_call *call, const struct lp_param *p, struct lp_error *err) {
    json_t *value = json_object_get(call->params, p->name);
    if (p->kind == LP_PARAM_HANDLE && p->handle != LP_OBJECT_IMAGE) {
        const struct lp_object *o = lp_call_object(call, p);
        return !o || put(q, "mask", o->kind == LP_OBJECT_MAP ? lp_wire_map(o, err) : lp_wire_mask(o, err), err);
    }
    if (!value || p->kind == LP_PARAM_HANDLE || p->kind == LP_PARAM_LABELS)
        return true;
    if (p->kind == LP_PARAM_POINTS)
        return put_points(q, call, value, err);
    if (p->kind == LP_PARAM_BOXES)
        return put(q, p->name, boxes_of(call, value), err);
    if (lp_wire_partner(call->skill))
        return put(q, p->name, json_pack("{s:O}", "caption", value), err);
    return put(q, p->name, json_incref(value), err);
}

/* The reference and, white on black, what is marked in it. */
static bool put_reference(json_t *q, const struct lp_call *call, struct lp_error *err) {
    const struct lp_image *r = call->reference;
    struct lp_image *mask = lp_image_new(r->width, r->height, err);
    for (int y = 0; mask && y < r->height; y++)
        for (int x = 0; x < r->width; x++) {
            float at_x = ((float)x + 0.5f) / (float)r->width, at_y = ((float)y + 0.5f) / (float)r->height;
            bool inside = !call->reference_boxes;
            for (int i = 0; i < call->reference_boxes; i++) {
                const float *b = call->reference_box[i];
                inside = inside || (at_x >= b[0] && at_x <= b[2] && at_y >= b[1] && at_y <= b[3]);
            }
            memset(mask->pixel + 3 * ((size_t)y * (size_t)r->width + (size_t)x), inside ? 255 : 0, 3);
        }
    bool done = mask && put(q, "refimg", lp_wire_picture(r, "a.png", err), err) &&
                put(q, "refmask", lp_wire_picture(mask, "a.png", err), err);
    lp_image_close(mask);
    return done;
}

json_t *lp_wire_request(const struct lp_call *call, struct lp_error *err) {
    const struct lp_param *p;
    json_t *q = json_object();
    bool done = q || lp_error_memory(err);
    done = done && put(q, "image", call->picture && call->skill->needs & LP_NEEDS_PICTURE ? picture(call->picture, err) : json_null(), err) &&
           put(q, "box_threshold", json_real(0.3), err) && put(q, "text_threshold", json_real(0.25), err);
    for (int i = 0; done && (p = lp_skill_param(call->skill, i)); i++)
        done = put_param(q, call, p, err);
    if (done && lp_wire_partner(call->skill))
        done = put(q, "mode", json_string(call->skill->api_name), err);
    if (done && call->skill->needs & LP_NEEDS_REFERENCE && call->reference)
        done = put_reference(q, call, err);
    if (done)
        return q;
    json_decref(q);
    return NULL;
}

/* What the worker says went wrong: the part in brackets where there is one. */
static bool complain(const json_t *response, struct lp_error *err) {
    const char *text = json_string_value(json_object_get(response, "text"));
    const char *why = text ? strstr(text, "\n\n(") : NULL;
    size_t n;
    why = why ? why + 3 : text ? text : "it does not say why";
    n = strlen(why);
    n -= n && text && why != text && why[n - 1] == ')';
    return lp_error_set(err, LP_EIO, "its worker says: %.*s", (int)(n > 160 ? 160 : n), why);
}

static bool nonsense(const char *key, struct lp_error *err) {
    return lp_error_set(err, LP_EINPUT, "its worker's '%s' makes no sense", key);
}

/* The value, rounded to two decimals where it is a number, or a list of such values. NULL: it is neither. */
static json_t *rounded(const json_t *value, int depth) {
    if (json_is_number(value) && isfinite(json_number_value(value)))
        return json_real(lp_python_round(json_number_value(value), 2));
    json_t *out = json_is_array(value) && depth && json_array_size(value) <= MOST ? json_array() : NULL;
    for (size_t i = 0; out && i < json_array_size(value); i++)
        if (json_array_append_new(out, rounded(json_array_get(value, i), depth - 1))) {
            json_decref(out);
            return NULL;
        }
    return out;
}

/* Makes the dict for the planner: as the original's web server cleans up what workers say. */
static bool take_dict(json_t *to, const char *name, const json_t *response, struct lp_error *err) {
    static const char *const pixels[] = {"masks_rle", "edited_image", "image_seg", "iou_sort_masks", "size", NULL};
    static const char *const numbers[] = {"boxes", "logits", "scores", NULL};
    bool easyocr = !strcmp(name, "easyocr");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)response, key, value) {
        bool drop = json_is_null(value), number = false;
        for (int i = 0; pixels[i]; i++)
            drop = drop || !strcmp(key, pixels[i]);
        for (int i = 0; numbers[i]; i++)
            number = number || !strcmp(key, numbers[i]);
        if (drop || !strcmp(key, "retrieval_results") || (easyocr && (!strcmp(key, "boxes") || !strcmp(key, "scores"))))
            continue;
        json_t *kept = number ? rounded(value, 2) : json_incref(value);
        if (!kept || json_string_length(kept) > LONGEST) {
            json_decref(kept);
            return nonsense(key, err);
        }
        if (!put(to, key, kept, err))
            return false;
    }
    return true;
}

static bool take_retrieved(struct lp_call *call, const json_t *response, struct lp_error *err) {
    const json_t *list = json_object_get(response, "retrieval_results");
    json_t *kept = list ? json_array() : NULL;
    bool done = !list || (json_array_size(list) <= MOST && kept);
    for (size_t i = 0; done && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *caption = json_string_value(json_object_get(one, "caption"));
        json_t *similarity = rounded(json_object_get(one, "similarity"), 0);
        done = caption && similarity && lp_objects_add_text(&call->made, caption, (float)json_number_value(similarity), err) &&
               !json_array_append_new(kept, json_pack("{s:s, s:O}", "caption", caption, "similarity", similarity));
        json_decref(similarity);
    }
    if (done && kept && !json_array_size(kept)) {
        json_decref(kept);
        return true;
    }
    if (done)
        return !kept || put(call->result, "retrieval_results", kept, err);
    json_decref(kept);
    return nonsense("retrieval_results", err);
}

static const char *label_at(const json_t *response, size_t i) {
    const char *phrase = json_string_value(json_array_get(json_object_get(response, "phrases"), i));
    return phrase ? phrase : json_string_value(json_array_get(json_object_get(response, "texts"), i));
}

static float score_at(const json_t *response, size_t i) {
    const json_t *score = json_array_get(json_object_get(response, "logits"), i);
    score = score ? score : json_array_get(json_object_get(response, "scores"), i);
    return score ? (float)fmin(1, fmax(0, json_number_value(score))) : 1;
}

/* Boxes of 0..1, their corners in order; the report has them in px of the picture. */
static bool take_boxes(struct lp_call *call, const json_t *response, struct lp_error *err) {
    const json_t *boxes = json_object_get(response, "boxes");
    size_t n = json_array_size(boxes);
    json_t *pixels = json_array();
    bool done = pixels && n <= MOST;
    for (size_t i = 0; done && i < n; i++) {
        const json_t *item = json_array_get(boxes, i);
        float box[4];
        for (size_t k = 0; k < 4; k++)
            box[k] = (float)fmin(1, fmax(0, json_number_value(json_array_get(item, k))));
        done = json_array_size(item) == 4 && box[0] <= box[2] && box[1] <= box[3] &&
               lp_objects_add_box(&call->made, box, label_at(response, i), score_at(response, i), err);
        int w = call->picture ? call->picture->width : 1, h = call->picture ? call->picture->height : 1;
        done = done && !json_array_append_new(pixels, json_pack("[i,i,i,i]", (int)floorf(box[0] * (float)w),
                                                                (int)floorf(box[1] * (float)h), (int)ceilf(box[2] * (float)w),
                                                                (int)ceilf(box[3] * (float)h)));
    }
    if (done && n)
        done = !json_object_set(call->report, "boxes", pixels);
    json_decref(pixels);
    return done || err->code ? done : nonsense("boxes", err);
}

static bool take_masks(struct lp_call *call, const json_t *response, struct lp_error *err) {
    const json_t *list = json_object_get(response, "masks_rle");
    size_t n = json_array_size(list);
    if (n > MOST)
        return nonsense("masks_rle", err);
    for (size_t i = 0; i < n; i++)
        if (!lp_wire_read_mask(&call->made, json_array_get(list, i), call->picture ? call->picture->width : 0,
                               call->picture ? call->picture->height : 0, label_at(response, i), err))
            return false;
    return true;
}

static bool take_picture(struct lp_call *call, const json_t *value, const char *key, struct lp_error *err) {
    struct lp_image *image = lp_wire_read_picture(value, key, err);
    return image && lp_objects_add_image(&call->made, image, err);
}

static bool take_pictures(struct lp_call *call, const json_t *response, struct lp_error *err) {
    const json_t *edited = json_object_get(response, "edited_image"), *map = json_object_get(response, "image_seg"),
                 *levels = json_object_get(response, "iou_sort_masks");
    if (json_array_size(levels) > 16)
        return nonsense("iou_sort_masks", err);
    for (size_t i = 0; i < json_array_size(levels); i++)
        if (!take_picture(call, json_array_get(levels, i), "iou_sort_masks", err))
            return false;
    return (!edited || take_picture(call, edited, "edited_image", err)) &&
           (!map || lp_wire_read_map(&call->made, map, "image_seg", err));
}

/* The words that skills leave as an object: a sentence, the tags, or all that is written. */
static bool take_text(struct lp_call *call, const json_t *response, struct lp_error *err) {
    const json_t *lines = json_object_get(response, "texts");
    const char *caption = json_string_value(json_object_get(response, "caption")),
               *tags = json_string_value(json_object_get(response, "tags"));
    struct lp_str text = {0};
    lp_str_puts(&text, caption ? caption : tags ? tags : "");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        lp_str_printf(&text, "%s%s", text.n ? "\n" : "", line ? line : "");
    }
    bool done = text.failed         ? lp_error_memory(err)
                : text.n > LONGEST ? nonsense("texts", err)
                                   : !text.n || lp_objects_add_text(&call->made, text.s, 1, err);
    lp_str_done(&text);
    return done;
}

bool lp_wire_take(struct lp_call *call, const char *name, const json_t *response, struct lp_error *err) {
    const struct lp_skill *skill = call->skill;
    const json_t *boxes = json_object_get(response, "boxes");
    if (!json_is_object(response))
        return lp_error_set(err, LP_EINPUT, "its worker answers with no JSON object");
    if (json_object_get(response, "error_code") && json_integer_value(json_object_get(response, "error_code")))
        return complain(response, err);
    return take_dict(call->result, name, response, err) && take_retrieved(call, response, err) &&
           (!(skill->leaves & LP_LEAVES_COUNT) || lp_objects_add_count(&call->made, (int)json_array_size(boxes), NULL, err)) &&
           (!(skill->leaves & LP_LEAVES_BOX) || take_boxes(call, response, err)) && take_masks(call, response, err) &&
           take_pictures(call, response, err) && (!(skill->leaves & LP_LEAVES_TEXT) || take_text(call, response, err)) &&
           (!json_object_size(call->result) || !json_object_set(call->report, "result", call->result) || lp_error_memory(err));
}
