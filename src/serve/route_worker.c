/* SPDX-License-Identifier: MIT */
/* serve/route_worker.c - POST /worker_get_status, and how workers read requests. Whatever they refuse has a frame's
 * keys: clients look for error_code, not for the status. */
#include "serve/fields.h"
#include "serve/route_worker.h"

#include "serve/chat.h"

json_t *lp_route_worker_body(struct lp_exchange *x, bool frame) {
    struct lp_error err = {0};
    json_t *body = NULL;
    if (!lp_body_is_modest(lp_str_text(&x->body), x->body.n))
        lp_error_set(&err, LP_EINPUT, "the body nests too deep or holds too many values");
    else
        body = lp_json_parse(lp_str_text(&x->body), x->body.n, "the body", &err);
    if (json_is_object(body))
        return body;
    lp_answer_trouble(x, 400, LP_FRAME_BAD_REQUEST, body ? "the body must be a JSON object" : err.text, frame);
    json_decref(body);
    return NULL;
}

void lp_route_worker_order(struct lp_exchange *x, bool frame) {
    struct lp_fault fault;
    struct lp_worker *w = x->server->site.self;
    lp_str_done(&x->body); /* pictures are large and the order has them */
    if (lp_exchange_order(x, &x->server->desk, x->order, &fault))
        lp_heart_hurry(w->heart);
    else
        lp_answer_trouble(x, fault.status, LP_FRAME_BUSY, fault.err.text, frame);
}

void lp_route_worker_status(struct lp_exchange *x) {
    json_t *status = lp_worker_status(x->server->site.self);
    lp_answer_json(x, 200, status);
    json_decref(status);
}
