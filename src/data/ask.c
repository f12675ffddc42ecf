/* SPDX-License-Identifier: MIT */
/* data/ask.c - one question to a chat model, one text back. */
#include "data/ask.h"

#include "base/memory.h"

#include <string.h>

struct lp_ask {
    struct lp_ask_settings settings;
    struct lp_endpoint *endpoint;
};

void lp_ask_defaults(struct lp_ask_settings *s) {
    *s = (struct lp_ask_settings){0};
    lp_endpoint_defaults(&s->at);
}

struct lp_ask *lp_ask_open(const struct lp_ask_settings *s, struct lp_error *err) {
    struct lp_ask *a = lp_alloc(sizeof *a);
    if (!a) {
        lp_error_memory(err);
        return NULL;
    }
    a->settings = *s;
    a->endpoint = lp_endpoint_open(&s->at, err);
    if (a->endpoint)
        return a;
    lp_ask_close(a);
    return NULL;
}

void lp_ask_close(struct lp_ask *a) {
    if (!a)
        return;
    lp_endpoint_close(a->endpoint);
    lp_free(a);
}

static char *read_answer(const struct lp_ask *a, const struct lp_http_reply *reply, struct lp_error *err) {
    if (!lp_endpoint_accepted(a->endpoint, reply, err))
        return NULL;
    json_t *root = lp_json_parse(reply->body, reply->size, "the answer", err);
    const json_t *message = json_object_get(json_array_get(json_object_get(root, "choices"), 0), "message");
    const char *content = json_string_value(json_object_get(message, "content"));
    char *text = content ? lp_alloc(strlen(content) + 1) : NULL;
    if (text)
        memcpy(text, content, strlen(content) + 1);
    else if (content)
        lp_error_memory(err);
    else if (root)
        lp_error_set(err, LP_EINPUT, "%s answers with no text in choices[0].message.content",
                     a->settings.at.url);
    json_decref(root);
    return text;
}

char *lp_ask(struct lp_ask *a, const char *system, const char *user, struct lp_error *err) {
    struct lp_http_reply reply;
    json_t *question = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "model", a->settings.model, "messages",
                                 "role", "system", "content", system, "role", "user", "content", user);
    char *text = NULL;
    if (!question)
        lp_error_memory(err);
    else if (lp_endpoint_post(a->endpoint, question, NULL, NULL, &reply, err))
        text = read_answer(a, &reply, err);
    json_decref(question);
    return text;
}
