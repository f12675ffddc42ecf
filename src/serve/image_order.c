/* SPDX-License-Identifier: MIT */
/* serve/image_order.c - a skill's pictures for /v1/images/..: what is asked, the runs one after the other, OpenAI's shape. */
#include "serve/image_order.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/memory.h"
#include "image/image.h"
#include "serve/chat.h"
#include "serve/fields.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Keys that would change the answer, and the values of them that are done. */
static const struct {
    const char *name, *value[2], *wrong;
} texts[] = {
    {"response_format", {"b64_json", NULL}, "'response_format' must be 'b64_json': this server gives no URLs"},
    {"output_format", {"png", NULL}, "'output_format' must be 'png'"},
    {"background", {"auto", "opaque"}, "'background' must be 'auto' or 'opaque'"},
};

static bool check_texts(const json_t *asked, struct lp_fault *fault) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *given = lp_given(asked, texts[i].name);
        const char *text = json_string_value(given);
        bool done = !given;
        for (int k = 0; k < 2 && text && texts[i].value[k]; k++)
            done = done || !strcmp(text, texts[i].value[k]);
        if (!done)
            return lp_bad(fault, texts[i].name, texts[i].wrong);
    }
    return true;
}

static bool take_size(struct lp_image_order *o, const json_t *asked, struct lp_fault *fault) {
    const json_t *size = lp_given(asked, "size");
    const char *text = json_string_value(size);
    char more;
    return !size || (text && !strcmp(text, "auto")) ||
           (text && sscanf(text, "%5dx%5d%c", &o->width, &o->height, &more) == 2 && o->width > 0 && o->height > 0) ||
           lp_bad(fault, "size", "'size' must be 'auto' or a width and a height such as '512x512'");
}

bool lp_image_order_read(struct lp_image_order *o, const char *skill, const json_t *asked, struct lp_fault *fault) {
    struct lp_error err = {0};
    bool streams = false;
    o->skill = lp_skill_find(skill);
    o->n = 1;
    if (!lp_take_integer(asked, "n", 1, LP_IMAGE_ORDER_MOST, &o->n, fault) || !take_size(o, asked, fault) ||
        !check_texts(asked, fault) || !lp_take_flag(asked, "stream", &streams, fault))
        return false;
    if (streams)
        return lp_bad(fault, "stream", "pictures are not streamed: leave 'stream' out");
    json_t *params = json_object();
    bool made = params && (!lp_given(asked, "prompt") || !json_object_set(params, "prompt", json_object_get(asked, "prompt"))) &&
                (!o->mask.n || !json_object_set_new(params, "mask", json_string("mask_1")));
    o->params = made ? lp_skill_check(o->skill, params, &err) : NULL;
    json_decref(params);
    return o->params || (made ? lp_fault_from(fault, "prompt", &err) : lp_fault_memory(fault));
}

/* The picture to work on becomes img_1. */
static bool add_image(const struct lp_image_order *o, struct lp_objects *objects, struct lp_fault *fault) {
    struct lp_error err = {0};
    struct lp_image *image = lp_image_decode(lp_str_text(&o->image), o->image.n, "image", &err);
    if (image && (int64_t)image->width * image->height > LP_CHAT_PIXELS) {
        lp_image_close(image);
        return lp_fault_set(fault, 400, "image", NULL, "the picture has more than %d pixels", LP_CHAT_PIXELS);
    }
    return (image && lp_objects_add_image(objects, image, &err)) || lp_fault_from(fault, "image", &err);
}

/* The mask's transparent pixels become mask_1. */
static bool add_mask(const struct lp_image_order *o, struct lp_objects *objects, struct lp_fault *fault) {
    const struct lp_image *image = lp_objects_newest(objects, LP_OBJECT_IMAGE)->picture;
    struct lp_error err = {0};
    int width, height;
    uint8_t *pixel = lp_image_decode_alpha(lp_str_text(&o->mask), o->mask.n, "mask", &width, &height, &err);
    if (!pixel)
        return lp_fault_from(fault, "mask", &err);
    int64_t count = (int64_t)width * height, transparent = 0;
    for (int64_t i = 0; i < count; i++)
        transparent += pixel[i] = !pixel[i];
    bool good = true;
    if (width != image->width || height != image->height)
        good = lp_fault_set(fault, 400, "mask", NULL, "the mask has %d x %d pixels, the picture %d x %d: they must be the same",
                            width, height, image->width, image->height);
    else if (!transparent)
        good = lp_bad(fault, "mask", "the mask has no transparent pixel: those are what is painted anew");
    else if (!lp_objects_add_mask(objects, width, height, pixel, NULL, 1, &err))
        good = lp_fault_from(fault, "mask", &err);
    lp_free(pixel);
    return good;
}

/* Adds {"b64_json"} to the data. */
static bool add_picture(struct lp_image_order *o, const struct lp_image *made, struct lp_error *err) {
    struct lp_str text = {0};
    size_t n = 0;
    uint8_t *png = lp_image_encode_png(made, &n, err);
    if (!png)
        return false;
    lp_base64_add(&text, png, n);
    bool added = !text.failed && !json_array_append_new(o->data, json_pack("{s:s}", "b64_json", lp_str_text(&text)));
    lp_str_done(&text);
    lp_free(png);
    return added || lp_error_memory(err);
}

static bool run_once(struct lp_image_order *o, struct lp_objects *objects, struct lp_fault *fault) {
    const struct lp_agent *agent = o->seat->agent;
    struct lp_error err = {0};
    struct lp_call call = {.skill = o->skill, .params = o->params, .objects = objects, .bench = agent->bench,
                           .play = agent->play, .cancel = &o->order.cancel};
    double began_ms = lp_clock_ms();
    bool good = lp_call_work(&call, &err);
    if (err.code != LP_ECANCELED)
        lp_metrics_add_call(o->seat->metrics, o->skill,
                            good                      ? LP_SKILL_DONE
                            : err.code == LP_EMISSING ? LP_SKILL_NOT_READY
                                                      : LP_SKILL_FAILED,
                            lp_clock_ms() - began_ms);
    const struct lp_object *made = good ? lp_objects_newest(&call.made, LP_OBJECT_IMAGE) : NULL;
    if (good && !made)
        good = lp_error_set(&err, LP_EIO, "%s came to an end without a picture", o->skill->name);
    if (good && o->width && (made->picture->width != o->width || made->picture->height != o->height))
        good = lp_fault_set(fault, 400, "size", NULL, "%s makes a picture of %dx%d here: ask for that 'size', or for 'auto'",
                            o->skill->name, made->picture->width, made->picture->height);
    good = good && add_picture(o, made->picture, &err);
    lp_call_done(&call);
    return good || (!fault->status && lp_fault_from(fault, NULL, &err));
}

static void work(struct lp_order *order) {
    struct lp_image_order *o = (struct lp_image_order *)order;
    struct lp_objects objects = {0};
    bool good = (!o->image.n || add_image(o, &objects, &order->fault)) && (!o->mask.n || add_mask(o, &objects, &order->fault));
    double began_ms = lp_clock_ms();
    for (int64_t i = 0; good && i < o->n; i++)
        good = run_once(o, &objects, &order->fault);
    atomic_store(&order->planner_ms, lp_clock_ms() - began_ms);
    if (order->fault.status == LP_GONE)
        atomic_fetch_add(&o->seat->metrics->canceled, 1);
    lp_objects_done(&objects);
}

static void close_order(struct lp_order *order) {
    struct lp_image_order *o = (struct lp_image_order *)order;
    lp_str_done(&o->image);
    lp_str_done(&o->mask);
    json_decref(o->params);
    json_decref(o->data);
    lp_free(o);
}

struct lp_image_order *lp_image_order_new(struct lp_seat *seat) {
    struct lp_image_order *o = lp_alloc(sizeof *o);
    if (!o)
        return NULL;
    o->seat = seat;
    lp_order_init(&o->order, work, close_order);
    o->data = json_array();
    return o;
}

void lp_image_order_finish(struct lp_exchange *x) {
    const struct lp_image_order *o = (const struct lp_image_order *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, true))
        return;
    if (lp_desk_failed(&x->server->desk, x->order)) {
        lp_answer_fault(x, &x->order->fault);
        return;
    }
    json_t *all = json_pack("{s:I, s:s, s:O}", "created", (json_int_t)time(NULL), "output_format", "png", "data", o->data);
    lp_answer_json(x, 200, all);
    json_decref(all);
}
