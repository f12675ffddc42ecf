/* SPDX-License-Identifier: MIT */
/* serve/route_chat_completions.c - POST /v1/chat/completions: parse, put in line, format. */
#include "serve/chat_order.h"
#include "serve/routes.h"

#include <stdio.h>
#include <time.h>

/* An order of the body, in line. */
static bool put(struct lp_exchange *x, struct lp_chat_order *c, struct lp_fault *fault) {
    struct lp_server *s = x->server;
    if (!lp_chat_parse(&c->chat, lp_str_text(&x->body), x->body.n, s->site.model, &c->seat->agent->sampling, fault))
        return false;
    snprintf(c->id, sizeof c->id, "chatcmpl-%s", x->id + 4);
    c->names = (struct lp_chat_names){c->id, s->site.model, (int64_t)time(NULL), c->chat.include_usage};
    return lp_exchange_order(x, &c->order, fault);
}

void lp_route_chat_completions(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    struct lp_chat_order *c = lp_chat_order_new(&x->server->seat);
    if (!c) {
        lp_answer_json(x, 503, NULL);
        return;
    }
    x->order = &c->order;
    if (!put(x, c, &fault))
        lp_answer_fault(x, &fault);
    else
        lp_str_done(&x->body); /* pictures are large and the order has them */
}

void lp_route_chat_completions_finish(struct lp_exchange *x) {
    struct lp_chat_order *c = (struct lp_chat_order *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, !c->chat.stream))
        return;
    if (lp_desk_failed(&x->server->desk, x->order)) {
        lp_answer_fault(x, &x->order->fault);
    } else if (c->chat.stream) {
        lp_answer_stream(x, "text/event-stream");
    } else {
        json_t *all = lp_chat_completion(&c->names, &c->outcome);
        lp_answer_json(x, 200, all);
        json_decref(all);
    }
}
