/* SPDX-License-Identifier: MIT */
/* serve/route_session_images.c - POST /v1/sessions/ID/images: a picture as it is, as a data URL, by its address or the handle
 * of one that is there, or several in a form. */
#include "base/memory.h"
#include "serve/fetching.h"
#include "serve/fields.h"
#include "serve/form.h"
#include "serve/pixels.h"
#include "serve/routes.h"

#include <string.h>
#include <strings.h>

enum { LONGEST_ADDRESS = 64 << 10 }; /* bytes of a body that has an address, which itself may have 4096 */

/* Adds a picture, after a look whether it is one. */
static bool add(struct lp_exchange *x, const char *id, const struct lp_str *bytes, json_t *list) {
    const struct lp_hash owner = lp_guard_owner(x);
    struct lp_fault *fault = &x->errand.fault;
    struct lp_error err = {0};
    struct lp_state_picture picture = {.bytes = lp_str_text(bytes), .n = bytes->n};
    picture.file = lp_sha256_of(picture.bytes, picture.n);
    struct lp_image *image = lp_pixels_decode(x->server->seat.pixels, &picture.file, picture.bytes, picture.n, &err);
    if (!image)
        return lp_fault_from(fault, "image", &err);
    picture.width = image->width;
    picture.height = image->height;
    lp_image_close(image);
    json_t *one = lp_state_add_picture(x->server->state, &owner, id, &picture, fault);
    return one && !json_array_append_new(list, one);
}

/* Adds a form's files; its other fields are not for us. */
static bool add_form(struct lp_exchange *x, const char *id, json_t *list) {
    struct lp_fault *fault = &x->errand.fault;
    struct lp_form form = {0};
    bool good = lp_form_read(&form, x, fault);
    int files = 0;
    for (int i = 0; i < form.n; i++)
        files += form.field[i].file;
    if (good && files > LP_CHAT_PICTURES)
        good = lp_fault_set(fault, 400, NULL, NULL, "a form may have at most %d pictures", LP_CHAT_PICTURES);
    else if (good && !files)
        good = lp_bad(fault, NULL, "the form has no file in it");
    for (int i = 0; good && i < form.n; i++)
        good = !form.field[i].file || add(x, id, &form.field[i].value, list);
    lp_form_done(&form);
    return good;
}

/* The bytes that a JSON body means. */
static bool read_json(struct lp_exchange *x, const char *id, struct lp_state_found *found, struct lp_fault *fault) {
    json_t *body = lp_take_body(lp_str_text(&x->body), x->body.n, fault);
    const char *image = json_string_value(json_object_get(body, "image"));
    const struct lp_hash owner = lp_guard_owner(x);
    struct lp_error err = {0};
    bool good = false;
    if (body && !image)
        lp_bad(fault, "image", "'image' must be a data URL (data:image/png;base64,..) or the handle of a picture");
    else if (body && !strncmp(image, "img_", 4))
        good = lp_state_find(x->server->state, &owner, id, image, true, found, fault);
    else if (body && strncasecmp(image, "data:", 5))
        lp_chat_refuse_picture(x->server->settings.pictures, "image", fault);
    else if (body)
        good = lp_chat_picture_bytes(image, &found->bytes, &err) || lp_fault_from(fault, "image", &err);
    json_decref(body);
    return good;
}

/* Begins to fetch the picture where the body has an address, as only a short one can: others are left to the clerk, since this
 * thread serves other connections, too. False: it has none, or there is a fault. */
static bool begin_fetching(struct lp_exchange *x, struct lp_fault *fault) {
    const char *type = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (!x->server->settings.pictures || x->body.n > LONGEST_ADDRESS || !strncasecmp(type, "multipart/", 10) ||
        !strncasecmp(type, "image/", 6))
        return false;
    json_t *body = lp_take_body(lp_str_text(&x->body), x->body.n, fault);
    const char *image = json_string_value(json_object_get(body, "image"));
    bool begun = image && lp_chat_is_address(image) && lp_fetching_begin(x, &image, 1, "image", fault);
    json_decref(body);
    return begun;
}

static void work(struct lp_exchange *x) {
    const char *type = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    const struct lp_hash owner = lp_guard_owner(x);
    struct lp_fault *fault = &x->errand.fault;
    struct lp_state_found found = {0};
    json_t *list = json_array();
    char id[LP_SESSION_ID];
    lp_exchange_part(x, 0, id, sizeof id);
    bool good = lp_state_has(x->server->state, &owner, id, fault); /* before its pictures are looked at */
    if (good && x->fetching) {
        found.bytes = lp_fetching_take(x, 0);
        good = add(x, id, &found.bytes, list);
    } else if (good && !strncasecmp(type, "multipart/", 10)) {
        good = add_form(x, id, list);
    } else if (good && !strncasecmp(type, "image/", 6)) {
        good = add(x, id, &x->body, list);
    } else if (good) {
        good = read_json(x, id, &found, fault) && add(x, id, &found.bytes, list);
    }
    x->errand.status = 201;
    if (good)
        x->errand.value = json_pack("{s:O}", "objects", list);
    if (!x->errand.value && !fault->status)
        lp_fault_memory(fault);
    json_decref(list);
    lp_state_found_done(&found);
}

void lp_route_session_images(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    bool begun = begin_fetching(x, &fault);
    if (fault.status)
        lp_answer_fault(x, &fault);
    else if (!begun)
        lp_errand_send(x, work);
}

void lp_route_session_images_finish(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    if (x->fetching && !x->errand.run) {
        if (!lp_fetching_ended(x, &fault))
            return;
        if (fault.status) {
            lp_answer_fault(x, &fault);
            return;
        }
        lp_errand_send(x, work);
    }
    lp_errand_finish(x);
}
