/* SPDX-License-Identifier: MIT */
/* serve/chat_json.c - answers as OpenAI's clients read them. */
#include "serve/chat.h"

const char *lp_chat_finish_name(enum lp_chat_finish finish) {
    static const char *const names[] = {"stop", "length", "tool_calls"};
    return names[finish];
}

static json_t *usage(const struct lp_chat_outcome *o) {
    return json_pack("{s:I, s:I, s:I}", "prompt_tokens", (json_int_t)o->prompt_tokens, "completion_tokens",
                     (json_int_t)o->completion_tokens, "total_tokens",
                     (json_int_t)(o->prompt_tokens + o->completion_tokens));
}

json_t *lp_chat_completion(const struct lp_chat_names *names, const struct lp_chat_outcome *o) {
    bool calls = json_array_size(o->calls);
    json_t *message = json_pack("{s:s, s:s?, s:n}", "role", "assistant", "content", calls ? NULL : lp_str_text(&o->answer),
                                "refusal");
    if (message && calls && json_object_set(message, "tool_calls", o->calls)) {
        json_decref(message);
        message = NULL;
    }
    return json_pack("{s:s, s:s, s:I, s:s, s:[{s:i, s:o, s:n, s:s}], s:o}", "id", names->id, "object", "chat.completion",
                     "created", (json_int_t)names->created, "model", names->model, "choices", "index", 0, "message",
                     message, "logprobs", "finish_reason", lp_chat_finish_name(o->finish), "usage", usage(o));
}

/* A chunk with these choices, which are given away. */
static json_t *chunk(const struct lp_chat_names *names, json_t *choices) {
    return json_pack("{s:s, s:s, s:I, s:s, s:o}", "id", names->id, "object", "chat.completion.chunk",
                     "created", (json_int_t)names->created, "model", names->model, "choices", choices);
}

json_t *lp_chat_chunk(const struct lp_chat_names *names, bool first, const char *piece, const char *finish) {
    json_t *delta = json_object();
    bool done = delta && (!first || !json_object_set_new(delta, "role", json_string("assistant"))) &&
                (!piece || !json_object_set_new(delta, "content", json_string(piece)));
    json_t *choices =
        json_pack("[{s:i, s:o, s:n, s:s?}]", "index", 0, "delta", delta, "logprobs", "finish_reason", finish);
    json_t *all = chunk(names, choices);
    if (done && all && names->usage_key)
        done = !json_object_set_new(all, "usage", json_null());
    if (done)
        return all;
    json_decref(all);
    return NULL;
}

json_t *lp_chat_calls_chunk(const struct lp_chat_names *names, const struct lp_chat_outcome *o) {
    json_t *calls = json_deep_copy(o->calls);
    size_t i;
    json_t *call;
    json_array_foreach(calls, i, call)
        json_object_set_new(call, "index", json_integer((json_int_t)i));
    json_t *all = chunk(names, json_pack("[{s:i, s:{s:o}, s:n, s:n}]", "index", 0, "delta", "tool_calls", calls, "logprobs",
                                         "finish_reason"));
    if (all && names->usage_key)
        json_object_set_new(all, "usage", json_null());
    return all;
}

json_t *lp_chat_usage_chunk(const struct lp_chat_names *names, const struct lp_chat_outcome *o) {
    json_t *all = chunk(names, json_array());
    if (all && !json_object_set_new(all, "usage", usage(o)))
        return all;
    json_decref(all);
    return NULL;
}
