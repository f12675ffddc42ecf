/* SPDX-License-Identifier: MIT */
/* serve/controller.c - who asks workers, and when they are forgotten. While workers are asked the table stays as it
 * is: nobody's request fails because another client refreshes. */
#include "serve/controller.h"

#include "base/clock.h"
#include "base/http.h"
#include "base/memory.h"
#include "serve/routes.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    ASK_MS = 5000,      /* most time for a worker to tell how it is */
    ASKERS = 16,        /* workers that are asked at the same time */
    ANSWER = 64 << 10,  /* most bytes of what it tells */
    PLACES = LP_DESK_THREADS - 16 /* streams; the other threads are for what passes quickly */
};

struct lp_controller {
    struct lp_controller_settings settings;
    struct lp_roster roster;
    pthread_t sweeper;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool swept, closing;       /* swept: there is a sweeper; closing is locked */
    unsigned long begun, done; /* locked: rounds of asking */
    bool asking;               /* locked */
    atomic_int places;
};

void lp_controller_defaults(struct lp_controller_settings *s) {
    *s = (struct lp_controller_settings){.expiry_s = 90, .silence_s = 100, .log = -1};
}

struct lp_roster *lp_controller_roster(struct lp_controller *c) {
    return &c->roster;
}

const struct lp_controller_settings *lp_controller_settings(const struct lp_controller *c) {
    return &c->settings;
}

bool lp_controller_take_place(struct lp_controller *c) {
    if (atomic_fetch_add(&c->places, 1) < PLACES)
        return true;
    lp_controller_leave_place(c);
    return false;
}

void lp_controller_leave_place(struct lp_controller *c) {
    atomic_fetch_sub(&c->places, 1);
}

static void note(const struct lp_controller *c, const char *worker, const char *event, const char *why) {
    json_t *line = c->settings.log < 0 ? NULL
                                       : json_pack("{s:s, s:s, s:s*}", "worker", worker, "event", event, "why", why);
    char *text = line ? lp_json_text(line) : NULL;
    if (text)
        dprintf(c->settings.log, "%s\n", text);
    lp_free(text);
    json_decref(line);
}

/* How a worker says it is; owned by caller; NULL: it does not say. *busy: it took the question. */
static json_t *ask(const struct lp_controller *c, const char *name, bool *busy, struct lp_error *err) {
    struct lp_http_reply reply = {0};
    const struct lp_http_settings s = {.url = name,
                                       .key = c->settings.key,
                                       .in_clear = c->settings.in_clear,
                                       .reach = &c->settings.reach,
                                       .limit = ANSWER,
                                       .wait_ms = ASK_MS};
    struct lp_http *http = lp_http_open_path(&s, "/worker_get_status", err);
    json_t *status = NULL;
    if (http && lp_http_post(http, "", NULL, &reply, err)) {
        if (reply.status != 200)
            lp_error_set(err, LP_EIO, "%s answers with status %d", name, reply.status);
        else
            status = lp_json_parse(reply.body, reply.size, "its state", err);
        if (status && !lp_roster_check(status, err)) {
            json_decref(status);
            status = NULL;
        }
    }
    *busy = reply.busy;
    lp_http_close(http);
    return status;
}

bool lp_controller_register(struct lp_controller *c, const char *name, const json_t *status, bool check_heart_beat,
                            bool multimodal, struct lp_error *err) {
    bool busy, done = lp_reach_url(&c->settings.reach, name, err);
    json_t *told = NULL;
    if (done && (!status || json_is_null(status)))
        done = (told = ask(c, name, &busy, err)) != NULL;
    else if (done)
        done = lp_roster_check(status, err);
    done = done && lp_roster_put(&c->roster, name, told ? told : status, check_heart_beat, multimodal, lp_clock_ms(), err);
    json_decref(told);
    note(c, name, done ? "registered" : "refused", done ? NULL : err->text);
    return done;
}

/* One round of asking, shared by its askers. */
struct round {
    struct lp_controller *c;
    const json_t *names;
    atomic_size_t next;
};

static void *ask_some(void *context) {
    struct round *round = context;
    struct lp_controller *c = round->c;
    const char *name;
    while ((name = json_string_value(json_array_get(round->names, atomic_fetch_add(&round->next, 1))))) {
        struct lp_error err = {0};
        bool busy = false;
        json_t *status = ask(c, name, &busy, &err);
        if (status)
            lp_roster_update(&c->roster, name, status, lp_clock_ms());
        else if (!busy || !lp_roster_is_fresh(&c->roster, name, c->settings.expiry_s * 1e3, lp_clock_ms())) {
            lp_roster_remove(&c->roster, name);
            note(c, name, "lost", err.text);
        }
        json_decref(status);
    }
    return NULL;
}

static void ask_all(struct lp_controller *c) {
    json_t *names = lp_roster_names(&c->roster);
    struct round round = {.c = c, .names = names};
    pthread_t thread[ASKERS];
    int n = 0, wanted = json_array_size(names) < ASKERS ? (int)json_array_size(names) : ASKERS;
    while (n + 1 < wanted && !pthread_create(&thread[n], NULL, ask_some, &round))
        n++;
    ask_some(&round);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    json_decref(names);
}

void lp_controller_refresh(struct lp_controller *c) {
    pthread_mutex_lock(&c->lock);
    unsigned long before = c->begun; /* only a round that begins from now on will do */
    while (c->done <= before) {
        if (c->asking) {
            pthread_cond_wait(&c->bell, &c->lock);
            continue;
        }
        c->asking = true;
        c->begun++;
        pthread_mutex_unlock(&c->lock);
        ask_all(c);
        pthread_mutex_lock(&c->lock);
        c->done = c->begun;
        c->asking = false;
        pthread_cond_broadcast(&c->bell);
    }
    pthread_mutex_unlock(&c->lock);
}

static void *sweep(void *context) {
    struct lp_controller *c = context;
    pthread_mutex_lock(&c->lock);
    while (!c->closing) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 250000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&c->bell, &c->lock, &until);
        pthread_mutex_unlock(&c->lock);
        if (lp_roster_expire(&c->roster, c->settings.expiry_s * 1e3, lp_clock_ms()))
            note(c, "", "silent", "workers without heart beats were forgotten");
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct lp_controller *lp_controller_open(const struct lp_controller_settings *s, struct lp_error *err) {
    struct lp_controller *c = lp_alloc(sizeof *c);
    uint64_t seed = (uint64_t)lp_clock_ms();
    if (!c) {
        lp_error_memory(err);
        return NULL;
    }
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed++;
    c->settings = *s;
    lp_roster_init(&c->roster, s->dispatch, seed);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->bell, NULL);
    c->swept = !pthread_create(&c->sweeper, NULL, sweep, c);
    if (c->swept)
        return c;
    lp_error_set(err, LP_EMEMORY, "the controller's thread cannot be started");
    lp_controller_close(c);
    return NULL;
}

void lp_controller_close(struct lp_controller *c) {
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->bell);
    pthread_mutex_unlock(&c->lock);
    if (c->swept)
        pthread_join(c->sweeper, NULL);
    lp_roster_done(&c->roster);
    lp_free(c);
}
