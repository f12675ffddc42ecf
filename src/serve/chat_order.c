/* SPDX-License-Identifier: MIT */
/* serve/chat_order.c - the planner's work on a chat, told as server-sent events where the client wants a stream. */
#include "serve/chat_order.h"

#include "base/memory.h"

#include <string.h>

/* Writes an event, which is given away and NULL when memory ran out. */
static void put_event(struct lp_order *o, json_t *event) {
    char *text = event ? lp_json_text(event) : NULL;
    struct lp_str line = {0};
    json_decref(event);
    lp_str_printf(&line, "data: %s\n\n", text ? text : "");
    if (text && !line.failed)
        lp_order_write(o, line.s, line.n);
    else
        atomic_store(&o->cancel, true);
    lp_str_done(&line);
    lp_free(text);
}

static void begun(void *context) {
    struct lp_chat_order *c = context;
    lp_order_begin(&c->order);
    if (c->chat.stream)
        put_event(&c->order, lp_chat_chunk(&c->names, true, "", NULL));
}

static void piece(void *context, const char *text) {
    struct lp_chat_order *c = context;
    if (c->chat.stream)
        put_event(&c->order, lp_chat_chunk(&c->names, false, text, NULL));
}

static void end_stream(struct lp_chat_order *c) {
    static const char last[] = "data: [DONE]\n\n";
    if (c->order.fault.status) {
        put_event(&c->order, lp_fault_json(&c->order.fault));
        return;
    }
    if (json_array_size(c->outcome.calls))
        put_event(&c->order, lp_chat_calls_chunk(&c->names, &c->outcome));
    put_event(&c->order, lp_chat_chunk(&c->names, false, NULL, lp_chat_finish_name(c->outcome.finish)));
    if (c->chat.include_usage)
        put_event(&c->order, lp_chat_usage_chunk(&c->names, &c->outcome));
    lp_order_write(&c->order, last, sizeof last - 1);
}

static void work(struct lp_order *o) {
    struct lp_chat_order *c = (struct lp_chat_order *)o;
    struct lp_metrics *metrics = c->seat->metrics;
    const struct lp_chat_listener listener = {begun, piece, c};
    c->seat->held[0] = 0;
    bool good = lp_chat_run(&c->chat, c->id + strlen("chatcmpl-"), c->seat, &o->cancel, &listener, &c->outcome, &o->fault);
    atomic_store(&o->planner_ms, c->outcome.planner_ms);
    if (c->chat.stream && lp_order_has_begun(o))
        end_stream(c);
    if (good) {
        atomic_fetch_add(&metrics->prompt_tokens, (uint_fast64_t)c->outcome.prompt_tokens);
        atomic_fetch_add(&metrics->completion_tokens, (uint_fast64_t)c->outcome.completion_tokens);
    } else if (o->fault.status == LP_GONE) {
        atomic_fetch_add(&metrics->canceled, 1);
    }
}

static void close_order(struct lp_order *o) {
    struct lp_chat_order *c = (struct lp_chat_order *)o;
    lp_chat_done(&c->chat);
    lp_chat_outcome_done(&c->outcome);
    lp_free(c);
}

struct lp_chat_order *lp_chat_order_new(struct lp_seat *seat) {
    struct lp_chat_order *c = lp_alloc(sizeof *c);
    if (!c)
        return NULL;
    c->seat = seat;
    lp_order_init(&c->order, work, close_order);
    return c;
}
