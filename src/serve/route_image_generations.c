/* SPDX-License-Identifier: MIT */
/* serve/route_image_generations.c - POST /v1/images/generations: pictures from words, by the skill `generate`. */
#include "serve/fields.h"
#include "serve/image_order.h"
#include "serve/routes.h"

void lp_route_image_generations(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    struct lp_image_order *o = lp_image_order_new(&x->server->seat);
    if (!o) {
        lp_answer_json(x, 503, NULL);
        return;
    }
    x->order = &o->order;
    json_t *asked = lp_take_body(lp_str_text(&x->body), x->body.n, &fault);
    if (!asked || !lp_image_order_read(o, "generate", asked, &fault) ||
        !lp_exchange_order(x, &x->server->desk, &o->order, &fault))
        lp_answer_fault(x, &fault);
    json_decref(asked);
}
