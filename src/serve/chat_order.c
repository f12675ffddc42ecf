/* SPDX-License-Identifier: MIT */
/* serve/chat_order.c - a chat completion at the desk: on the planner's thread it becomes an answer, and of a stream
 * chunks. */
#include "base/memory.h"
#include "serve/chat.h"
#include "serve/metrics.h"

#include <string.h>

/* What the planner's thread works on, for the callbacks. */
struct work {
    struct lp_desk *desk;
    struct lp_chat_order *order;
};

/* Tells an event, which is given away and NULL when memory ran out. */
static void tell(const struct work *w, json_t *event) {
    char *text = event ? lp_json_text(event) : NULL;
    struct lp_str line = {0};
    json_decref(event);
    if (text)
        lp_str_printf(&line, "data: %s\n\n", text);
    if (!text || line.failed)
        atomic_store(&w->order->order.cancel, true);
    else
        lp_order_tell(w->desk, &w->order->order, line.s);
    lp_str_done(&line);
    lp_free(text);
}

static void begun(void *context) {
    const struct work *w = context;
    lp_order_begin(w->desk, &w->order->order);
    if (w->order->chat.stream)
        tell(w, lp_chat_chunk(&w->order->names, true, "", NULL));
}

static void piece(void *context, const char *text) {
    const struct work *w = context;
    if (w->order->chat.stream)
        tell(w, lp_chat_chunk(&w->order->names, false, text, NULL));
}

static void end_stream(const struct work *w) {
    struct lp_chat_order *o = w->order;
    if (o->order.fault.status) {
        tell(w, lp_fault_json(&o->order.fault));
        return;
    }
    if (json_array_size(o->outcome.calls))
        tell(w, lp_chat_calls_chunk(&o->names, &o->outcome));
    tell(w, lp_chat_chunk(&o->names, false, NULL, lp_chat_finish_name(o->outcome.finish)));
    if (o->chat.include_usage)
        tell(w, lp_chat_usage_chunk(&o->names, &o->outcome));
    lp_order_tell(w->desk, &o->order, "data: [DONE]\n\n");
}

static void work(struct lp_order *order, struct lp_desk *d) {
    struct lp_chat_order *o = (struct lp_chat_order *)order;
    struct work w = {d, o};
    const struct lp_chat_listener listener = {begun, piece, &w};
    d->held[0] = 0;
    bool good = lp_chat_run(&o->chat, o->id + strlen("chatcmpl-"), d->agent, &order->cancel, &listener, &o->outcome, &order->fault);
    if (o->chat.stream && order->begun) /* set by this thread */
        end_stream(&w);
    if (good) {
        atomic_fetch_add(&d->metrics->prompt_tokens, (uint_fast64_t)o->outcome.prompt_tokens);
        atomic_fetch_add(&d->metrics->completion_tokens, (uint_fast64_t)o->outcome.completion_tokens);
    }
}

static void close_order(struct lp_order *order) {
    struct lp_chat_order *o = (struct lp_chat_order *)order;
    lp_chat_done(&o->chat);
    lp_chat_outcome_done(&o->outcome);
}

struct lp_chat_order *lp_chat_order_new(void) {
    return (struct lp_chat_order *)lp_order_new(sizeof(struct lp_chat_order), work, close_order);
}
