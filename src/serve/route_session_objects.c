/* SPDX-License-Identifier: MIT */
/* serve/route_session_objects.c - GET /v1/sessions/ID/objects/HANDLE: a picture as PNG, a mask as COCO's run lengths, anything
 * else as JSON. HANDLE.json and, for masks and class maps, HANDLE.png are the other form. */
#include "base/memory.h"
#include "image/rle.h"
#include "serve/routes.h"

#include <string.h>

/* Cuts the ending off: 'j' for JSON, 'p' for PNG, 0: none was given. */
static char take_ending(char *handle) {
    char *dot = strrchr(handle, '.');
    if (!dot || (strcmp(dot, ".json") && strcmp(dot, ".png")))
        return 0;
    *dot = 0;
    return dot[1];
}

/* A mask in black and white. */
static bool mask_png(struct lp_errand *e, struct lp_state_found *found, struct lp_error *err) {
    const struct lp_object *o = &found->object;
    size_t n = (size_t)o->width * (size_t)o->height;
    uint8_t *pixel = lp_alloc(n);
    bool done = pixel ? lp_rle_decode(pixel, o->width, o->height, found->runs, strlen(found->runs), err)
                      : lp_error_memory(err);
    for (size_t i = 0; done && i < n; i++)
        pixel[i] = pixel[i] ? 255 : 0;
    e->bytes = done ? lp_image_encode(pixel, o->width, o->height, 1, "mask.png", &e->n, err) : NULL;
    lp_free(pixel);
    return e->bytes;
}

/* A user's picture, whose file may be no PNG and have more in it than pixels (where it was taken, say), is encoded anew. */
static bool picture_png(struct lp_errand *e, struct lp_state_found *found, struct lp_error *err) {
    if (found->user) {
        struct lp_image *image = lp_image_decode(lp_str_text(&found->bytes), found->bytes.n, "the picture", err);
        e->bytes = image ? lp_image_encode_png(image, &e->n, err) : NULL;
        lp_image_close(image);
        return e->bytes;
    }
    e->bytes = found->bytes.s;
    e->n = found->bytes.n;
    found->bytes = (struct lp_str){0};
    return true;
}

/* The object as its session lists it, a mask with its runs. */
static bool object_json(struct lp_errand *e, struct lp_state_found *found, struct lp_error *err) {
    const struct lp_object *o = &found->object;
    e->value = lp_state_object_json(o, found->user, found->turn);
    bool done = e->value != NULL;
    if (found->runs)
        done = done && !json_object_set_new(e->value, "segmentation",
                                            json_pack("{s:[i, i], s:s}", "size", o->height, o->width, "counts", found->runs));
    return done || lp_error_memory(err);
}

static void work(struct lp_exchange *x) {
    const struct lp_hash owner = lp_guard_owner(x);
    struct lp_errand *e = &x->errand;
    struct lp_state_found found = {0};
    struct lp_error err = {0};
    char id[LP_SESSION_ID], handle[40];
    lp_exchange_part(x, 0, id, sizeof id);
    lp_exchange_part(x, 1, handle, sizeof handle);
    char ending = take_ending(handle);
    if (lp_state_find(x->server->state, &owner, id, handle, ending != 'j', &found, &e->fault)) {
        enum lp_object_kind kind = found.object.kind;
        bool drawn = kind == LP_OBJECT_IMAGE || kind == LP_OBJECT_MAP, mask = kind == LP_OBJECT_MASK && found.runs;
        bool png = ending == 'p' || (!ending && drawn);
        e->status = 200;
        e->type = "image/png";
        if (png && !drawn && !mask)
            lp_fault_set(&e->fault, 404, NULL, "object_not_found", "this object is no picture and no mask");
        else if (!(!png ? object_json : mask ? mask_png : picture_png)(e, &found, &err))
            lp_fault_from(&e->fault, NULL, &err);
    }
    lp_state_found_done(&found);
}

void lp_route_session_object(struct lp_exchange *x) {
    lp_errand_send(x, work);
}
