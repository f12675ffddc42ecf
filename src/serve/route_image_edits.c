/* SPDX-License-Identifier: MIT */
/* serve/route_image_edits.c - POST /v1/images/edits: a form with a picture and words, for the skill `edit`; with a mask for
 * `inpaint`. */
#include "serve/fields.h"
#include "serve/form.h"
#include "serve/image_order.h"
#include "serve/routes.h"

#include <string.h>

/* Moves a field's file into *out. */
static bool take_file(struct lp_form_field *field, const char *name, struct lp_str *out, struct lp_fault *fault) {
    if (out->n)
        return lp_fault_set(fault, 400, name, NULL, "the form has more than one '%s'", name);
    if (!field->file || !field->value.n)
        return lp_fault_set(fault, 400, name, NULL, "'%s' must be a file with a picture", name);
    *out = field->value;
    field->value = (struct lp_str){0};
    return true;
}

/* As a request of JSON would have it: `n` and `stream` are no texts there. */
static json_t *value_of(const struct lp_form_field *field) {
    const char *text = lp_str_text(&field->value);
    bool is_text = strcmp(field->name, "n") && strcmp(field->name, "stream");
    json_t *value = is_text || field->value.n > 8 ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

/* The form's files go to the order, its other fields into `asked`. */
static bool sort(struct lp_form *form, struct lp_image_order *o, json_t *asked, struct lp_fault *fault) {
    for (int i = 0; i < form->n; i++) {
        struct lp_form_field *field = &form->field[i];
        bool good = true;
        if (!strcmp(field->name, "image") || !strcmp(field->name, "image[]")) /* a list of one, too */
            good = take_file(field, "image", &o->image, fault);
        else if (!strcmp(field->name, "mask"))
            good = take_file(field, "mask", &o->mask, fault);
        else if (json_object_set_new(asked, field->name, value_of(field)))
            good = lp_bad(fault, NULL, "the fields of the form must be UTF-8");
        if (!good)
            return false;
    }
    return o->image.n || lp_bad(fault, "image", "'image' is missing: the picture to change, as a file");
}

void lp_route_image_edits(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    struct lp_form form = {0};
    json_t *asked = json_object();
    struct lp_image_order *o = asked ? lp_image_order_new(&x->server->seat) : NULL;
    if (!o) {
        json_decref(asked);
        lp_answer_json(x, 503, NULL);
        return;
    }
    x->order = &o->order;
    if (lp_form_read(&form, x, &fault) && sort(&form, o, asked, &fault) &&
        lp_image_order_read(o, o->mask.n ? "inpaint" : "edit", asked, &fault) &&
        lp_exchange_order(x, &x->server->desk, &o->order, &fault))
        lp_str_done(&x->body); /* the order has the pictures */
    else
        lp_answer_fault(x, &fault);
    lp_form_done(&form);
    json_decref(asked);
}
