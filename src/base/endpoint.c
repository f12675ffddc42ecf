/* SPDX-License-Identifier: MIT */
/* base/endpoint.c - POST /chat/completions, again where that may help. */
#include "base/endpoint.h"

#include "base/memory.h"
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lp_endpoint {
    struct lp_endpoint_settings settings;
    struct lp_http *http;
};

static const double longest_wish_s = 600;

void lp_endpoint_defaults(struct lp_endpoint_settings *s) {
    struct lp_http_settings http;
    lp_http_defaults(&http);
    *s = (struct lp_endpoint_settings){
        .attempts = 6, .pause_s = 1, .longest_pause_s = 60, .wait_ms = http.wait_ms, .limit = http.limit};
}

const char *lp_endpoint_key(void) {
    const char *key = getenv("OPENAI_API_KEY");
    return key && *key ? key : NULL;
}

struct lp_endpoint *lp_endpoint_open(const struct lp_endpoint_settings *s, struct lp_error *err) {
    static const char path[] = "/chat/completions";
    struct lp_endpoint *e = lp_alloc(sizeof *e);
    struct lp_str url = {0};
    size_t n = strlen(s->url);
    lp_str_puts(&url, s->url);
    if (n < sizeof path || strcmp(s->url + n - (sizeof path - 1), path))
        lp_str_puts(&url, n && s->url[n - 1] == '/' ? path + 1 : path);
    if (!e || url.failed) {
        lp_error_memory(err);
    } else {
        const struct lp_http_settings http = {
            .url = lp_str_text(&url), .key = s->key, .limit = s->limit, .wait_ms = s->wait_ms};
        e->settings = *s;
        e->http = lp_http_open(&http, err);
    }
    lp_str_done(&url);
    if (e && e->http)
        return e;
    lp_endpoint_close(e);
    return NULL;
}

void lp_endpoint_close(struct lp_endpoint *e) {
    if (!e)
        return;
    lp_http_close(e->http);
    lp_free(e);
}

/* {"error": {"message"}} and {"error": ".."} as OpenAI, llama.cpp and Ollama have it, {"message"} as older
 * vLLM, {"detail"} as FastAPI; some put it into a list. */
const char *lp_endpoint_words(const json_t *answer) {
    const json_t *root = json_is_array(answer) ? json_array_get(answer, 0) : answer;
    const json_t *error = json_object_get(root, "error"), *detail = json_object_get(root, "detail");
    const json_t *words[] = {error, json_object_get(error, "message"), json_object_get(root, "message"),
                             detail, json_object_get(json_array_get(detail, 0), "msg")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (json_is_string(words[i]))
            return json_string_value(words[i]);
    return NULL;
}

/* ": " and the words on one line, at most 160 bytes of them; "" when there are none. */
static void complaint(const struct lp_http_reply *reply, char text[176]) {
    json_t *root = lp_json_parse(reply->body, reply->size, "", NULL);
    const char *message = lp_endpoint_words(root);
    size_t n = message ? strnlen(message, 160) : 0;
    if (n == 160)
        while (n && ((unsigned char)message[n] & 0xc0) == 0x80) /* not within a character */
            n--;
    snprintf(text, 176, "%s%.*s", n ? ": " : "", (int)n, n ? message : "");
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    json_decref(root);
}

bool lp_endpoint_speaks_of(const struct lp_http_reply *reply, const char *const *words) {
    json_t *root = lp_json_parse(reply->body, reply->size, "", NULL);
    const char *message = lp_endpoint_words(root);
    bool found = false;
    for (int i = 0; message && words && words[i] && !found; i++)
        found = strcasestr(message, words[i]) != NULL;
    json_decref(root);
    return found;
}

static bool may_pass(int status) {
    return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

static bool pause_for(const struct lp_endpoint *e, double seconds, const atomic_bool *cancel) {
    if (e->settings.wait)
        return e->settings.wait(e->settings.context, seconds);
    for (double slice; seconds > 0 && !(cancel && atomic_load(cancel)); seconds -= slice) {
        slice = fmin(seconds, 0.05);
        const struct timespec t = {0, (long)(slice * 1e9)};
        nanosleep(&t, NULL);
    }
    return !(cancel && atomic_load(cancel));
}

bool lp_endpoint_accepted(const struct lp_endpoint *e, const struct lp_http_reply *reply,
                          struct lp_error *err) {
    char words[176];
    if (reply->status >= 200 && reply->status <= 299)
        return true;
    complaint(reply, words);
    return lp_error_set(err, LP_EIO, "%s refuses with status %d%s", e->settings.url, reply->status, words);
}

static bool post(struct lp_endpoint *e, const char *json, const struct lp_http_listener *listener,
                 const char *const *hopeless, struct lp_http_reply *reply, struct lp_error *err) {
    const struct lp_endpoint_settings *s = &e->settings;
    double pause = s->pause_s;
    for (int i = 1;; i++, pause = fmin(2 * pause, s->longest_pause_s)) {
        struct lp_error trouble = {0};
        char words[176];
        if (lp_http_post(e->http, json, listener, reply, &trouble)) {
            bool broken = reply->status == 500 || reply->status == 501;
            if (!may_pass(reply->status) || (broken && lp_endpoint_speaks_of(reply, hopeless)))
                return true;
            complaint(reply, words);
            lp_error_set(&trouble, LP_EIO, "%s answers with status %d%s", s->url, reply->status, words);
        }
        if (trouble.code == LP_EIO && !reply->heard && i < s->attempts && reply->again_s <= longest_wish_s) {
            if (pause_for(e, fmax(pause, reply->again_s), listener ? listener->cancel : NULL))
                continue;
            return lp_error_set(err, LP_ECANCELED, "stopped while waiting for %s", s->url);
        }
        return lp_error_set(err, trouble.code, "%s", trouble.text);
    }
}

bool lp_endpoint_post(struct lp_endpoint *e, const json_t *question, const struct lp_http_listener *listener,
                      const char *const *hopeless, struct lp_http_reply *reply, struct lp_error *err) {
    char *json = lp_json_text(question);
    bool done = json ? post(e, json, listener, hopeless, reply, err) : lp_error_memory(err);
    lp_free(json);
    return done;
}
