/* SPDX-License-Identifier: MIT */
/* plan/workers.c - a controller's client: which names are there, where, and then the call itself. The original asks for a
 * refresh before each call; heart beats make that needless. */
#include "plan/workers.h"

#include "base/clock.h"
#include "base/http.h"
#include "base/memory.h"
#include "skill/wire.h"

#include <string.h>

enum { ASK_MS = 10000, ANSWER = 1 << 20, FRESH_MS = 1000 }; /* for the controller; how long its list is good */

struct lp_workers {
    struct lp_workers_settings settings;
    struct lp_http *list, *address;
    json_t *names;   /* the list, owned; NULL: not known */
    double asked_ms; /* when */
};

void lp_workers_defaults(struct lp_workers_settings *s) {
    *s = (struct lp_workers_settings){.wait_s = 300, .limit = (size_t)64 << 20};
}

/* Posts and reads the answer; owned by caller, NULL on failure. */
static json_t *post(struct lp_http *http, const char *url, const json_t *question, const atomic_bool *cancel,
                    struct lp_error *err) {
    const struct lp_http_listener listener = {.cancel = cancel};
    struct lp_http_reply reply;
    char *text = lp_json_text(question);
    json_t *answer = NULL;
    if (!text)
        lp_error_memory(err);
    else if (lp_http_post(http, text, &listener, &reply, err)) {
        if (reply.status >= 500 || reply.status == 401 || reply.status == 403)
            lp_error_set(err, LP_EIO, "%s refuses with status %d", url, reply.status);
        else
            answer = lp_json_parse(reply.body, reply.size, url, err);
    }
    lp_free(text);
    return answer;
}

static json_t *ask_list(struct lp_workers *w, struct lp_error *err) {
    json_t *nothing = json_object(), *answer = post(w->list, w->settings.controller, nothing, NULL, err);
    json_t *names = json_incref(json_object_get(answer, "models"));
    if (answer && !json_is_array(names)) {
        lp_error_set(err, LP_EINPUT, "%s is no controller: its list of models makes no sense", w->settings.controller);
        json_decref(names);
        names = NULL;
    }
    json_decref(nothing);
    json_decref(answer);
    w->asked_ms = lp_clock_ms();
    return names;
}

static bool lists(const json_t *names, const char *name) {
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *one = json_string_value(json_array_get(names, i));
        if (one && !strcmp(one, name))
            return true;
    }
    return false;
}

/* The name by which a worker has the skill, static; NULL: none has it. Class maps come from the worker of
 * "controlnet", which is told what to do. */
static const char *find(struct lp_workers *w, const struct lp_skill *skill) {
    const char *names[LP_WIRE_NAMES + 1];
    if (!w->names || lp_clock_ms() - w->asked_ms > FRESH_MS) {
        json_decref(w->names);
        w->names = ask_list(w, NULL);
    }
    lp_wire_names(skill, names);
    for (int i = 0; names[i]; i++)
        if (lists(w->names, names[i]))
            return names[i];
    return !strcmp(skill->api_name, "openseed") && lists(w->names, "controlnet") ? "controlnet" : NULL;
}

static bool has(void *context, const struct lp_skill *skill) {
    return find(context, skill) != NULL;
}

/* The address of a worker with that name, owned by caller (lp_str_done). */
static bool find_address(struct lp_workers *w, const char *name, const atomic_bool *cancel, struct lp_str *out,
                         struct lp_error *err) {
    json_t *question = json_pack("{s:s}", "model", name);
    json_t *answer = question ? post(w->address, w->settings.controller, question, cancel, err) : NULL;
    const char *address = json_string_value(json_object_get(answer, "address"));
    if (!question)
        lp_error_memory(err);
    else if (answer && (!address || !*address))
        lp_error_set(err, LP_EIO, "the controller has no worker for it any more");
    lp_str_puts(out, address ? address : "");
    json_decref(question);
    json_decref(answer);
    return out->n && !out->failed && lp_reach_url(w->settings.reach, out->s, err);
}

/* Asks the worker at the address. */
static json_t *ask_worker(const struct lp_workers *w, const char *address, const json_t *request, const atomic_bool *cancel,
                          struct lp_error *err) {
    const struct lp_workers_settings *s = &w->settings;
    const struct lp_http_settings http = {.url = address,
                                          .key = s->key,
                                          .in_clear = s->in_clear,
                                          .reach = s->reach,
                                          .limit = s->limit,
                                          .wait_ms = (long)(s->wait_s * 1e3)};
    struct lp_http *worker = lp_http_open_path(&http, "/worker_generate", err);
    json_t *response = worker ? post(worker, address, request, cancel, err) : NULL;
    lp_http_close(worker);
    return response;
}

static bool run(void *context, struct lp_call *call, struct lp_error *err) {
    struct lp_workers *w = context;
    const char *name = find(w, call->skill);
    struct lp_str address = {0};
    json_t *request = NULL, *response = NULL;
    bool done = name || lp_error_set(err, LP_EIO, "no worker has it any more");
    done = done && (request = lp_wire_request(call, err)) && find_address(w, name, call->cancel, &address, err) &&
           (response = ask_worker(w, address.s, request, call->cancel, err)) && lp_wire_take(call, name, response, err);
    json_decref(request);
    json_decref(response);
    lp_str_done(&address);
    return done;
}

struct lp_play lp_workers_play(struct lp_workers *w) {
    return (struct lp_play){has, run, w};
}

struct lp_workers *lp_workers_open(const struct lp_workers_settings *s, struct lp_error *err) {
    struct lp_workers *w = lp_alloc(sizeof *w);
    if (!w) {
        lp_error_memory(err);
        return NULL;
    }
    const struct lp_http_settings http = {
        .url = s->controller, .key = s->key, .in_clear = s->in_clear, .limit = ANSWER, .wait_ms = ASK_MS};
    w->settings = *s;
    if ((w->list = lp_http_open_path(&http, "/list_models", err)) &&
        (w->address = lp_http_open_path(&http, "/get_worker_address", err)) &&
        (w->names = ask_list(w, err)))
        return w;
    lp_workers_close(w);
    return NULL;
}

void lp_workers_close(struct lp_workers *w) {
    if (!w)
        return;
    lp_http_close(w->list);
    lp_http_close(w->address);
    json_decref(w->names);
    lp_free(w);
}
