/* SPDX-License-Identifier: MIT */
/* serve/route_chat_completions.c - POST /v1/chat/completions: parse, put in line, format. */
#include "serve/chat.h"
#include "serve/routes.h"

#include <stdio.h>
#include <time.h>

/* An order of the body, in line. */
static bool put(struct lp_exchange *x, struct lp_chat_order *o, struct lp_fault *fault) {
    struct lp_server *s = x->server;
    if (!lp_chat_parse(&o->chat, lp_str_text(&x->body), x->body.n, s->model, &s->desk.agent->sampling, fault))
        return false;
    snprintf(o->id, sizeof o->id, "chatcmpl-%s", x->id + 4);
    o->names = (struct lp_chat_names){o->id, s->model, (int64_t)time(NULL), o->chat.include_usage};
    o->order.stream = o->chat.stream;
    return lp_exchange_put(x, &o->order, fault);
}

void lp_route_chat_completions(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    struct lp_chat_order *o = lp_chat_order_new();
    x->order = o ? &o->order : NULL;
    if (!o)
        lp_answer_json(x, 503, NULL);
    else if (!put(x, o, &fault))
        lp_answer_fault(x, &fault);
    else
        lp_str_done(&x->body); /* pictures are large and the order has them */
}

void lp_route_chat_completions_finish(struct lp_exchange *x) {
    const struct lp_chat_order *o = (const struct lp_chat_order *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, !o->chat.stream))
        return;
    if (lp_desk_failed(&x->server->desk, x->order)) {
        lp_answer_fault(x, &x->order->fault);
    } else if (o->chat.stream) {
        lp_answer_events(x);
    } else {
        json_t *all = lp_chat_completion(&o->names, &o->outcome);
        lp_answer_json(x, 200, all);
        json_decref(all);
    }
}
