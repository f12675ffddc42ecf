/* SPDX-License-Identifier: MIT */
/* plan/remote_reply.c - reads chat completions, whole or in pieces, as OpenAI, llama.cpp, vLLM and Ollama
 * write them. They differ in whether content is text, null or a list of parts, whether arguments are text or
 * an object, and in how pieces say which call they belong to. */
#include "base/memory.h"
#include "plan/remote_inner.h"

#include <string.h>

static bool is_absent(const json_t *value) {
    return !value || json_is_null(value);
}

static bool no_completion(struct lp_error *err, const char *why) {
    return lp_error_set(err, LP_EINPUT, "the planner's server answers with what is no chat completion: %s",
                        why);
}

/* Adds text as far as `most` goes; more is enough. */
static void add(struct lp_remote_reply *r, struct lp_str *to, const char *text, size_t n) {
    size_t room = r->most - to->n;
    if (n > room) {
        while (room && ((unsigned char)text[room] & 0xc0) == 0x80)
            room--;
        n = room;
        r->enough = r->cut_short = true;
    }
    lp_str_add(to, text, n);
}

static void add_string(struct lp_remote_reply *r, struct lp_str *to, const json_t *text) {
    add(r, to, json_string_value(text), json_string_length(text));
}

/* A text, or a list of parts of which those with text count. */
static bool take_content(struct lp_remote_reply *r, const json_t *content, struct lp_error *err) {
    if (is_absent(content))
        return true;
    if (json_is_string(content)) {
        add_string(r, &r->content, content);
        return true;
    }
    if (!json_is_array(content))
        return no_completion(err, "its content is no text");
    for (size_t i = 0; i < json_array_size(content); i++) {
        const json_t *part = json_array_get(content, i), *text = json_object_get(part, "text");
        if (json_is_string(part))
            add_string(r, &r->content, part);
        else if (json_is_string(text))
            add_string(r, &r->content, text);
        else if (!json_is_object(part))
            return no_completion(err, "a part of its content is neither text nor an object");
    }
    return true;
}

/* The call that a piece belongs to; NULL when there are too many. A piece with a name and an id of its own
 * begins another call even under a known index: some servers count from 0 in every piece. */
static struct lp_remote_call *find_call(struct lp_remote_reply *r, const json_t *piece, bool whole) {
    const json_t *count = json_object_get(piece, "index");
    const char *id = json_string_value(json_object_get(piece, "id"));
    bool named = json_string_length(json_object_get(json_object_get(piece, "function"), "name")) > 0;
    int64_t index = json_is_integer(count) ? json_integer_value(count) : -1;
    int at = r->calls - 1;
    while (index >= 0 && at >= 0 && r->call[at].index != index)
        at--;
    bool same = !whole && at >= 0 && (index >= 0 || !named);
    if (same && named && id && r->call[at].id.n && strcmp(r->call[at].id.s, id))
        same = false;
    if (same)
        return &r->call[at];
    if (r->calls > LP_REMOTE_CALLS)
        return NULL;
    r->call[r->calls].index = index;
    return &r->call[r->calls++];
}

static bool add_arguments(struct lp_remote_call *call, const json_t *arguments, struct lp_error *err) {
    char *text = json_is_object(arguments) ? lp_json_text(arguments) : NULL;
    const char *more = text ? text : json_string_value(arguments);
    if (json_is_object(arguments) && !text)
        return lp_error_memory(err);
    if (!more && !is_absent(arguments))
        return no_completion(err, "the arguments of a tool call are neither text nor an object");
    bool fits = !more || call->arguments.n + strlen(more) <= LP_REMOTE_ARGUMENTS;
    if (more && fits)
        lp_str_puts(&call->arguments, more);
    lp_free(text);
    return fits || no_completion(err, "the arguments of a tool call are longer than 64 KiB");
}

static bool take_call(struct lp_remote_reply *r, const json_t *piece, bool whole, struct lp_error *err) {
    const json_t *function = json_object_get(piece, "function"), *name = json_object_get(function, "name");
    if (!json_is_object(piece) || (!is_absent(function) && !json_is_object(function)))
        return no_completion(err, "a tool call is no object");
    if (!is_absent(name) && (!json_is_string(name) || json_string_length(name) > 200))
        return no_completion(err, "the name of a tool call is no short text");
    struct lp_remote_call *call = find_call(r, piece, whole);
    if (!call)
        return true;
    const char *id = json_string_value(json_object_get(piece, "id"));
    if (id && !call->id.n)
        lp_str_add(&call->id, id, strnlen(id, 200));
    if (json_is_string(name) && call->name.n + json_string_length(name) <= 200 &&
        strcmp(lp_str_text(&call->name), json_string_value(name)))
        lp_str_puts(&call->name, json_string_value(name));
    if (!add_arguments(call, json_object_get(function, "arguments"), err))
        return false;
    return (!call->id.failed && !call->name.failed && !call->arguments.failed) || lp_error_memory(err);
}

static bool take_calls(struct lp_remote_reply *r, const json_t *message, bool whole, struct lp_error *err) {
    const json_t *list = json_object_get(message, "tool_calls"),
                 *one = json_object_get(message, "function_call");
    if (!is_absent(list) && !json_is_array(list))
        return no_completion(err, "its tool_calls are no list");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!take_call(r, json_array_get(list, i), whole, err))
            return false;
    if (!json_is_object(one))
        return true;
    json_t *piece = json_pack("{s:i, s:O}", "index", 0, "function", one); /* how OpenAI's calls looked once */
    bool done = piece ? take_call(r, piece, whole, err) : lp_error_memory(err);
    json_decref(piece);
    return done;
}

/* Thoughts that servers give beside the content, under one of two names. */
static void take_reasoning(struct lp_remote_reply *r, const json_t *message) {
    static const char *const names[] = {"reasoning_content", "reasoning"};
    for (int i = 0; i < 2; i++)
        if (json_is_string(json_object_get(message, names[i]))) {
            add_string(r, &r->reasoning, json_object_get(message, names[i]));
            return;
        }
}

static bool take_message(struct lp_remote_reply *r, const json_t *message, bool whole, struct lp_error *err) {
    const json_t *refusal = json_object_get(message, "refusal");
    take_reasoning(r, message);
    if (!take_content(r, json_object_get(message, "content"), err) || !take_calls(r, message, whole, err))
        return false;
    if (json_is_string(refusal))
        add_string(r, &r->content, refusal);
    return (!r->content.failed && !r->reasoning.failed) || lp_error_memory(err);
}

static void take_finish(struct lp_remote_reply *r, const json_t *choice) {
    const char *why = json_string_value(json_object_get(choice, "finish_reason"));
    if (!why)
        return;
    r->finished = true;
    r->cut_short = r->cut_short || !strcmp(why, "length");
    r->withheld = !strcmp(why, "content_filter");
}

bool lp_remote_reply_take(struct lp_remote_reply *r, const json_t *root, bool whole, struct lp_error *err) {
    const json_t *choices = json_object_get(root, "choices"), *choice = json_array_get(choices, 0);
    const json_t *message = json_object_get(choice, whole ? "message" : "delta");
    const char *words = lp_endpoint_words(root);
    if (is_absent(choices) && words) {
        char first[176];
        size_t n = strnlen(words, sizeof first - 1);
        while (n && n == sizeof first - 1 && ((unsigned char)words[n] & 0xc0) == 0x80)
            n--;
        snprintf(first, sizeof first, "%.*s", (int)n, words);
        return lp_error_set(err, LP_EIO, "the planner's server reports an error: %s", first);
    }
    if (!json_is_object(root))
        return no_completion(err, "it is no object");
    if (!whole && !json_array_size(choices) && (is_absent(choices) || json_is_array(choices)))
        return true; /* only tells what was used */
    if (!json_is_object(choice))
        return no_completion(err, "it has no choices");
    if (!whole && is_absent(message)) /* some end a stream with a whole message */
        message = r->begun ? NULL : json_object_get(choice, "message");
    if ((whole || !is_absent(message)) && !json_is_object(message))
        return no_completion(err, "its choice has no message");
    r->begun = true;
    r->finished = r->finished || whole;
    take_finish(r, choice);
    return !message || take_message(r, message, whole, err);
}

void lp_remote_reply_done(struct lp_remote_reply *r) {
    lp_str_done(&r->content);
    lp_str_done(&r->reasoning);
    for (int i = 0; i < r->calls; i++) {
        lp_str_done(&r->call[i].id);
        lp_str_done(&r->call[i].name);
        lp_str_done(&r->call[i].arguments);
    }
    *r = (struct lp_remote_reply){.most = r->most};
}
