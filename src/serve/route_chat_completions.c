/* SPDX-License-Identifier: MIT */
/* serve/route_chat_completions.c - POST /v1/chat/completions: parse, put in line, format. */
#include "serve/routes.h"

#include <stdio.h>
#include <time.h>

/* An order of the body, in line. */
static bool put(struct lp_exchange *x, struct lp_order *o, struct lp_fault *fault) {
    struct lp_server *s = x->server;
    if (!lp_chat_parse(&o->chat, lp_str_text(&x->body), x->body.n, s->model, &s->desk.agent->sampling, fault))
        return false;
    snprintf(o->id, sizeof o->id, "chatcmpl-%s", x->id + 4);
    o->names = (struct lp_chat_names){o->id, s->model, (int64_t)time(NULL), o->chat.include_usage};
    o->connection = x->connection;
    o->socket = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    if (atomic_load(&s->stopping))
        return lp_fault_set(fault, 503, NULL, "stopping", "the server is being stopped");
    return lp_desk_put(&s->desk, o) ||
           lp_fault_set(fault, 429, NULL, "queue_full", "too many requests wait for the planner: try again");
}

void lp_route_chat_completions(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    x->order = lp_order_new();
    if (!x->order)
        lp_answer_json(x, 503, NULL);
    else if (!put(x, x->order, &fault))
        lp_answer_fault(x, &fault);
    else
        lp_str_done(&x->body); /* pictures are large and the order has them */
}

void lp_route_chat_completions_finish(struct lp_exchange *x) {
    struct lp_order *o = x->order;
    if (!lp_desk_ready(&x->server->desk, o, !o->chat.stream))
        return;
    if (lp_desk_failed(&x->server->desk, o)) {
        lp_answer_fault(x, &o->fault);
    } else if (o->chat.stream) {
        lp_answer_events(x);
    } else {
        json_t *all = lp_chat_completion(&o->names, &o->outcome);
        lp_answer_json(x, 200, all);
        json_decref(all);
    }
}
