/* SPDX-License-Identifier: MIT */
/* serve/desk.c - the line before the planner. A connection that waits is suspended, which costs no thread;
 * who changes an order wakes it. */
#include "serve/desk.h"

#include "base/memory.h"
#include "serve/metrics.h"

#include <microhttpd.h>
#include <poll.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50 }; /* between two looks at the clients */

struct lp_order *lp_order_new(size_t size, void (*work)(struct lp_order *order, struct lp_desk *desk),
                              void (*close)(struct lp_order *order)) {
    struct lp_order *o = lp_alloc(size);
    if (o) {
        o->holders = 1;
        o->work = work;
        o->close = close;
    }
    return o;
}

/* Locked. */
static void let_go(struct lp_order *o) {
    if (--o->holders)
        return;
    o->close(o);
    lp_str_done(&o->events);
    lp_free(o);
}

/* Locked. */
static void wake(struct lp_order *o) {
    if (o->suspended && o->connection)
        MHD_resume_connection(o->connection);
    o->suspended = false;
}

/* Locked. */
static void finish(struct lp_order *o) {
    o->begun = o->done = true;
    wake(o);
    let_go(o);
}

void lp_order_begin(struct lp_desk *d, struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    o->begun = true;
    if (o->stream)
        wake(o);
    pthread_mutex_unlock(&d->lock);
}

void lp_order_tell(struct lp_desk *d, struct lp_order *o, const char *text) {
    pthread_mutex_lock(&d->lock);
    lp_str_puts(&o->events, text);
    if (o->events.failed)
        atomic_store(&o->cancel, true);
    wake(o);
    pthread_mutex_unlock(&d->lock);
}

static void *run_planner(void *context) {
    struct lp_desk *d = context;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->line && !d->closing)
            pthread_cond_wait(&d->bell, &d->lock);
        struct lp_order *o = d->line;
        if (!o)
            break;
        d->line = o->next;
        d->waiting--;
        d->at_work = o;
        pthread_mutex_unlock(&d->lock);
        o->work(o, d);
        if (o->fault.status == LP_GONE)
            atomic_fetch_add(&d->metrics->canceled, 1);
        pthread_mutex_lock(&d->lock);
        d->at_work = NULL;
        finish(o);
    }
    pthread_cond_broadcast(&d->bell);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* Locked. Whether the client has closed its side. */
static bool is_gone(const struct lp_order *o, const char *tag) {
    (void)tag;
    struct pollfd p = {.fd = o->socket, .events = POLLRDHUP};
    return !o->connection || (poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static bool is_about(const struct lp_order *o, const char *tag) {
    return !tag || !strcmp(o->tag, tag);
}

/* Locked. Ends the orders of which `ends` says so: how many. */
static int end_orders(struct lp_desk *d, bool (*ends)(const struct lp_order *o, const char *tag), const char *tag) {
    int ended = 0;
    if (d->at_work && ends(d->at_work, tag)) {
        atomic_store(&d->at_work->cancel, true);
        ended++;
    }
    for (struct lp_order **at = &d->line, *o; (o = *at);) {
        if (!ends(o, tag)) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        d->waiting--;
        lp_fault_set(&o->fault, LP_GONE, NULL, "canceled", "stopped before the planner came to it");
        finish(o);
        ended++;
    }
    return ended;
}

/* Locked. Lets an order tell how it goes. */
static void watch(struct lp_order *o) {
    size_t n = o->events.n;
    if (!o->watch || !o->stream || !o->begun)
        return;
    o->watch(o, &o->events);
    if (o->events.n > n)
        wake(o);
}

static void *run_watcher(void *context) {
    struct lp_desk *d = context;
    pthread_mutex_lock(&d->lock);
    while (!d->closing || d->line || d->at_work) {
        if (!d->line && !d->at_work) {
            pthread_cond_wait(&d->bell, &d->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        while (pthread_cond_timedwait(&d->bell, &d->lock, &until) == 0) {
        }
        end_orders(d, is_gone, NULL);
        if (d->at_work)
            watch(d->at_work);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

void lp_desk_close(struct lp_desk *d) {
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    pthread_cond_broadcast(&d->bell);
    pthread_mutex_unlock(&d->lock);
}

bool lp_desk_init(struct lp_desk *d, struct lp_agent *agent, struct lp_metrics *metrics, int most_waiting,
                  struct lp_error *err) {
    *d = (struct lp_desk){.agent = agent, .metrics = metrics, .most_waiting = most_waiting};
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->bell, NULL);
    if (pthread_create(&d->planner, NULL, run_planner, d))
        return lp_error_set(err, LP_EMEMORY, "the planner's thread cannot be started");
    if (!pthread_create(&d->watcher, NULL, run_watcher, d))
        return d->started = true;
    lp_desk_close(d);
    pthread_join(d->planner, NULL);
    return lp_error_set(err, LP_EMEMORY, "the thread that watches clients cannot be started");
}

void lp_desk_done(struct lp_desk *d) {
    if (!d->started)
        return;
    lp_desk_close(d);
    pthread_join(d->planner, NULL);
    pthread_join(d->watcher, NULL);
    d->started = false;
}

void lp_desk_cancel_all(struct lp_desk *d) {
    pthread_mutex_lock(&d->lock);
    end_orders(d, is_about, NULL);
    pthread_mutex_unlock(&d->lock);
}

bool lp_desk_cancel(struct lp_desk *d, const char *tag) {
    pthread_mutex_lock(&d->lock);
    int ended = end_orders(d, is_about, tag);
    pthread_mutex_unlock(&d->lock);
    return ended > 0;
}

void lp_desk_state(struct lp_desk *d, int *waiting, bool *busy) {
    pthread_mutex_lock(&d->lock);
    *waiting = d->waiting;
    *busy = d->at_work != NULL;
    pthread_mutex_unlock(&d->lock);
}

bool lp_desk_put(struct lp_desk *d, struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    struct lp_order **end = &d->line;
    while (*end)
        end = &(*end)->next;
    bool room = !d->closing && d->waiting < d->most_waiting + (d->at_work ? 0 : 1);
    if (room) {
        *end = o;
        d->waiting++;
        o->holders++;
        pthread_cond_broadcast(&d->bell);
    }
    pthread_mutex_unlock(&d->lock);
    return room;
}

void lp_desk_leave(struct lp_desk *d, struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    o->connection = NULL;
    if (!o->done)
        atomic_store(&o->cancel, true);
    let_go(o);
    pthread_mutex_unlock(&d->lock);
}

/* Locked. */
static void sleep_until_woken(struct lp_order *o) {
    o->suspended = true;
    MHD_suspend_connection(o->connection);
}

bool lp_desk_ready(struct lp_desk *d, struct lp_order *o, bool done) {
    pthread_mutex_lock(&d->lock);
    bool ready = done ? o->done : o->begun;
    if (!ready)
        sleep_until_woken(o);
    pthread_mutex_unlock(&d->lock);
    return ready;
}

bool lp_desk_failed(struct lp_desk *d, const struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    bool failed = o->done && o->fault.status;
    pthread_mutex_unlock(&d->lock);
    return failed;
}

bool lp_desk_has_events(struct lp_desk *d, const struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    bool has = o->stream && o->events.n;
    pthread_mutex_unlock(&d->lock);
    return has;
}

long lp_desk_read(struct lp_desk *d, struct lp_order *o, char *out, size_t n) {
    pthread_mutex_lock(&d->lock);
    size_t left = o->events.n - o->sent, k = left < n ? left : n;
    if (k)
        memcpy(out, o->events.s + o->sent, k);
    else if (!o->done)
        sleep_until_woken(o);
    o->sent += k;
    long result = k || !o->done ? (long)k : -1;
    pthread_mutex_unlock(&d->lock);
    return result;
}
