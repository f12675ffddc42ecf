/* SPDX-License-Identifier: MIT */
/* serve/heart.c - one thread, two questions: am I known, and if not: know me. */
#include "serve/heart.h"

#include "base/http.h"
#include "base/memory.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { WAIT_MS = 5000, ANSWER = 64 << 10 };

struct lp_heart {
    struct lp_heart_settings settings;
    struct lp_worker *worker;
    struct lp_http *enlist, *beat;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool started, closing, hurry; /* closing, hurry: locked */
    atomic_bool cancel;
    int state; /* whether the last try was good; -1: none yet */
};

void lp_heart_defaults(struct lp_heart_settings *s) {
    *s = (struct lp_heart_settings){.controller = "http://localhost:21001", .beat_s = 15, .again_s = 5, .log = -1};
}

/* Posts a question, which is given away; the answer is owned by the caller, NULL on failure. */
static json_t *post(struct lp_heart *h, struct lp_http *http, json_t *question, struct lp_error *err) {
    const struct lp_http_listener listener = {.cancel = &h->cancel};
    struct lp_http_reply reply;
    char *text = question ? lp_json_text(question) : NULL;
    json_t *answer = NULL;
    json_decref(question);
    if (!text)
        lp_error_memory(err);
    else if (lp_http_post(http, text, &listener, &reply, err)) {
        if (reply.status == 200)
            answer = lp_json_parse(reply.body, reply.size, "the controller's answer", err);
        else
            lp_error_set(err, LP_EIO, "%s answers with status %d", h->settings.controller, reply.status);
    }
    lp_free(text);
    return answer;
}

static bool enlist(struct lp_heart *h, struct lp_error *err) {
    json_t *answer = post(h, h->enlist,
                          json_pack("{s:s, s:b, s:o, s:b}", "worker_name", h->settings.address, "check_heart_beat", 1,
                                    "worker_status", lp_worker_status(h->worker), "multimodal", h->worker->multimodal),
                          err);
    json_decref(answer);
    return answer != NULL;
}

/* One beat. *known: the controller has the worker in its table. */
static bool beat(struct lp_heart *h, bool *known, struct lp_error *err) {
    json_t *answer = post(h, h->beat,
                          json_pack("{s:s, s:i}", "worker_name", h->settings.address, "queue_length",
                                    lp_worker_queue(h->worker)),
                          err);
    *known = json_is_true(json_object_get(answer, "exist"));
    json_decref(answer);
    return answer != NULL;
}

/* A line where things have changed. */
static void note(struct lp_heart *h, bool good, const char *why) {
    json_t *line = h->state != good ? json_pack("{s:s, s:s, s:s*}", "controller", h->settings.controller, "event",
                                                good ? "found" : "lost", "why", good ? NULL : why)
                                    : NULL;
    char *text = line ? lp_json_text(line) : NULL;
    if (text && h->settings.log >= 0)
        dprintf(h->settings.log, "%s\n", text);
    lp_free(text);
    json_decref(line);
    h->state = good;
}

/* Locked. Waits so long, or until there is reason to hurry. */
static void rest(struct lp_heart *h, double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    double end = (double)until.tv_sec + (double)until.tv_nsec * 1e-9 + seconds;
    until.tv_sec = (time_t)floor(end);
    until.tv_nsec = (long)((end - floor(end)) * 1e9);
    while (!h->closing && !h->hurry && !pthread_cond_timedwait(&h->bell, &h->lock, &until)) {
    }
    h->hurry = false;
}

static void *run(void *context) {
    struct lp_heart *h = context;
    h->state = -1;
    pthread_mutex_lock(&h->lock);
    while (!h->closing) {
        struct lp_error err = {0};
        bool known;
        pthread_mutex_unlock(&h->lock);
        bool good = beat(h, &known, &err) && (known || enlist(h, &err));
        note(h, good, err.text);
        pthread_mutex_lock(&h->lock);
        rest(h, good ? h->settings.beat_s : h->settings.again_s);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

struct lp_heart *lp_heart_open(const struct lp_heart_settings *s, struct lp_worker *worker, struct lp_error *err) {
    struct lp_heart *h = lp_alloc(sizeof *h);
    if (!h) {
        lp_error_memory(err);
        return NULL;
    }
    h->settings = *s;
    h->worker = worker;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->bell, NULL);
    const struct lp_http_settings http = {
        .url = s->controller, .key = s->key, .in_clear = s->in_clear, .limit = ANSWER, .wait_ms = WAIT_MS};
    h->enlist = lp_http_open_path(&http, "/register_worker", err);
    h->beat = h->enlist ? lp_http_open_path(&http, "/receive_heart_beat", err) : NULL;
    if (h->beat && !(h->started = !pthread_create(&h->thread, NULL, run, h)))
        lp_error_set(err, LP_EMEMORY, "the thread for heart beats cannot be started");
    if (h->started)
        return h;
    lp_heart_close(h);
    return NULL;
}

void lp_heart_hurry(struct lp_heart *h) {
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->hurry = true;
    pthread_cond_broadcast(&h->bell);
    pthread_mutex_unlock(&h->lock);
}

void lp_heart_close(struct lp_heart *h) {
    if (!h)
        return;
    atomic_store(&h->cancel, true);
    pthread_mutex_lock(&h->lock);
    h->closing = true;
    pthread_cond_broadcast(&h->bell);
    pthread_mutex_unlock(&h->lock);
    if (h->started)
        pthread_join(h->thread, NULL);
    lp_http_close(h->enlist);
    lp_http_close(h->beat);
    lp_free(h);
}
