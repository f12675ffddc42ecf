/* SPDX-License-Identifier: MIT */
/* serve/route_session_messages.c - POST /v1/sessions/ID/messages: a turn, told by events as it goes or whole at its end. */
#include "serve/routes.h"
#include "serve/session.h"

void lp_route_session_messages(struct lp_exchange *x) {
    struct lp_server *s = x->server;
    struct lp_fault fault = {0};
    struct lp_session_order *o = lp_session_order_new(&s->seat);
    if (!o) {
        lp_answer_json(x, 503, NULL);
        return;
    }
    x->order = &o->order;
    o->state = s->state;
    o->owner = lp_guard_owner(x);
    lp_exchange_part(x, 0, o->order.tag, sizeof o->order.tag);
    bool put = lp_ask_parse(&o->ask, lp_str_text(&x->body), x->body.n, &s->seat.agent->sampling, &fault);
    if (put && lp_exchange_order(x, &x->server->desk, &o->order, &fault))
        lp_str_done(&x->body);
    else
        lp_answer_fault(x, &fault);
}

void lp_route_session_messages_finish(struct lp_exchange *x) {
    const struct lp_session_order *o = (const struct lp_session_order *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, !o->ask.stream))
        return;
    if (!o->ask.stream && !lp_desk_failed(&x->server->desk, x->order))
        lp_answer_json(x, 200, o->turn);
    else if (lp_order_unread(x->order))
        lp_answer_stream(x, "text/event-stream");
    else
        lp_answer_fault(x, &x->order->fault);
}
