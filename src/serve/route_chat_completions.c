/* SPDX-License-Identifier: MIT */
/* serve/route_chat_completions.c - POST /v1/chat/completions: parse, fetch what must be, put in line, format. */
#include "serve/chat_order.h"
#include "serve/fetching.h"
#include "serve/routes.h"

#include <stdio.h>
#include <time.h>

static bool put_in_line(struct lp_exchange *x, struct lp_fault *fault) {
    return lp_exchange_order(x, &x->server->desk, x->order, fault);
}

/* Which of the chat's pictures are addresses: how many. */
static int addresses(const struct lp_chat *chat, const char *url[LP_CHAT_PICTURES]) {
    int n = 0;
    for (int i = 0; i < chat->pictures; i++)
        if (lp_chat_is_address(chat->picture[i]))
            url[n++] = chat->picture[i];
    return n;
}

/* The body becomes an order, which waits in line or for its pictures. */
static bool begin(struct lp_exchange *x, struct lp_chat_order *c, struct lp_fault *fault) {
    struct lp_server *s = x->server;
    const char *url[LP_CHAT_PICTURES];
    c->chat.fetches = s->settings.pictures != NULL;
    if (!lp_chat_parse(&c->chat, lp_str_text(&x->body), x->body.n, s->site.model, &c->seat->agent->sampling, fault))
        return false;
    snprintf(c->id, sizeof c->id, "chatcmpl-%s", x->id + 4);
    c->names = (struct lp_chat_names){c->id, s->site.model, (int64_t)time(NULL), c->chat.include_usage};
    int n = addresses(&c->chat, url);
    return n ? lp_fetching_begin(x, url, n, "messages", fault) : put_in_line(x, fault);
}

void lp_route_chat_completions(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    struct lp_chat_order *c = lp_chat_order_new(&x->server->seat);
    if (!c) {
        lp_answer_json(x, 503, NULL);
        return;
    }
    x->order = &c->order;
    if (!begin(x, c, &fault))
        lp_answer_fault(x, &fault);
    else
        lp_str_done(&x->body); /* pictures are large and the order has them */
}

/* Gives the chat the pictures that were fetched, in their order. */
static void take_pictures(struct lp_exchange *x, struct lp_chat *chat) {
    for (int i = 0, k = 0; i < chat->pictures; i++)
        if (lp_chat_is_address(chat->picture[i]))
            chat->fetched[i] = lp_fetching_take(x, k++);
}

/* Whether the order is in line. */
static bool is_in_line(struct lp_exchange *x) {
    struct lp_fault fault = {0};
    if (!x->fetching)
        return true;
    if (!lp_fetching_ended(x, &fault))
        return false;
    if (!fault.status) {
        take_pictures(x, &((struct lp_chat_order *)x->order)->chat);
        lp_fetching_end(x);
        put_in_line(x, &fault);
    }
    if (fault.status)
        lp_answer_fault(x, &fault);
    return !fault.status;
}

void lp_route_chat_completions_finish(struct lp_exchange *x) {
    struct lp_chat_order *c = (struct lp_chat_order *)x->order;
    if (!is_in_line(x) || !lp_desk_ready(&x->server->desk, x->order, !c->chat.stream))
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
