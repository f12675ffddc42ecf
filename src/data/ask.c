/* SPDX-License-Identifier: MIT */
/* data/ask.c - POST /chat/completions; what may pass (429, 5xx, lost connections) is tried again, later and later. */
#include "data/ask.h"

#include "base/http.h"
#include "base/memory.h"
#include "base/str.h"
#include "text/utf8.h"

#include <math.h>
#include <string.h>
#include <time.h>

struct lp_ask {
    struct lp_ask_settings settings;
    struct lp_http *http;
};

static const double longest_wish_s = 600;

static bool sleep_s(void *context, double seconds) {
    (void)context;
    struct timespec t = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    while (nanosleep(&t, &t)) {
    }
    return true;
}

void lp_ask_defaults(struct lp_ask_settings *s) {
    *s = (struct lp_ask_settings){.attempts = 6, .pause_s = 1, .longest_pause_s = 60, .wait_ms = 120000};
}

struct lp_ask *lp_ask_open(const struct lp_ask_settings *s, struct lp_error *err) {
    static const char path[] = "/chat/completions";
    struct lp_ask *a = lp_alloc(sizeof *a);
    struct lp_str url = {0};
    struct lp_http_settings http;
    lp_http_defaults(&http);
    size_t n = strlen(s->endpoint);
    lp_str_puts(&url, s->endpoint);
    if (n < sizeof path || strcmp(s->endpoint + n - (sizeof path - 1), path))
        lp_str_puts(&url, n && s->endpoint[n - 1] == '/' ? path + 1 : path);
    if (!a || url.failed) {
        lp_error_memory(err);
    } else {
        a->settings = *s;
        if (!s->wait)
            a->settings.wait = sleep_s;
        http.url = lp_str_text(&url);
        http.key = s->key;
        http.wait_ms = s->wait_ms;
        a->http = lp_http_open(&http, err);
    }
    lp_str_done(&url);
    if (a && a->http)
        return a;
    lp_ask_close(a);
    return NULL;
}

void lp_ask_close(struct lp_ask *a) {
    if (!a)
        return;
    lp_http_close(a->http);
    lp_free(a);
}

/* The server's own words about a failure, on one line, at most 160 bytes; "" when it has none. */
static void complaint(const struct lp_http_reply *reply, char text[176]) {
    json_t *root = lp_json_parse(reply->body, reply->size, "", NULL);
    const json_t *error = json_object_get(root, "error");
    const char *message = json_string_value(json_is_string(error) ? error : json_object_get(error, "message"));
    size_t n = message ? strnlen(message, 160) : 0;
    for (size_t k = 1; k <= 3 && k <= n; k++)
        if (lp_utf8_is_cut(message + n - k, k))
            n -= k;
    snprintf(text, 176, "%s%.*s", n ? ": " : "", (int)n, n ? message : "");
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    json_decref(root);
}

static bool may_pass(int status) {
    return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

/* Posts until there is an answer that will not get better by waiting. */
static bool post(struct lp_ask *a, const char *json, struct lp_http_reply *reply, struct lp_error *err) {
    const struct lp_ask_settings *s = &a->settings;
    double pause = s->pause_s;
    for (int i = 1;; i++, pause = fmin(2 * pause, s->longest_pause_s)) {
        struct lp_error trouble = {0};
        char words[176];
        if (lp_http_post(a->http, json, reply, &trouble)) {
            if (!may_pass(reply->status))
                return true;
            complaint(reply, words);
            lp_error_set(&trouble, LP_EIO, "%s answers with status %d%s", s->endpoint, reply->status, words);
        }
        if (trouble.code == LP_EIO && i < s->attempts && reply->again_s <= longest_wish_s) {
            if (s->wait(s->context, fmax(pause, reply->again_s)))
                continue;
            return lp_error_set(err, LP_ECANCELED, "stopped while waiting for %s", s->endpoint);
        }
        return lp_error_set(err, trouble.code, "%s", trouble.text);
    }
}

static char *read_answer(const struct lp_ask *a, const struct lp_http_reply *reply, struct lp_error *err) {
    char words[176];
    if (reply->status < 200 || reply->status > 299) {
        complaint(reply, words);
        lp_error_set(err, LP_EIO, "%s refuses with status %d%s", a->settings.endpoint, reply->status, words);
        return NULL;
    }
    json_t *root = lp_json_parse(reply->body, reply->size, "the answer", err);
    const json_t *message = json_object_get(json_array_get(json_object_get(root, "choices"), 0), "message");
    const char *content = json_string_value(json_object_get(message, "content"));
    char *text = content ? lp_alloc(strlen(content) + 1) : NULL;
    if (text)
        memcpy(text, content, strlen(content) + 1);
    else if (content)
        lp_error_memory(err);
    else if (root)
        lp_error_set(err, LP_EINPUT, "%s answers with no text in choices[0].message.content", a->settings.endpoint);
    json_decref(root);
    return text;
}

char *lp_ask(struct lp_ask *a, const char *system, const char *user, struct lp_error *err) {
    struct lp_http_reply reply;
    json_t *question = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}]}", "model", a->settings.model, "messages", "role", "system",
                                 "content", system, "role", "user", "content", user);
    char *json = question ? lp_json_text(question) : NULL, *text = NULL;
    if (!json)
        lp_error_memory(err);
    else if (post(a, json, &reply, err))
        text = read_answer(a, &reply, err);
    lp_free(json);
    json_decref(question);
    return text;
}
