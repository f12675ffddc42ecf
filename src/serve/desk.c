/* SPDX-License-Identifier: MIT */
/* serve/desk.c - a line before some threads. A connection that waits is suspended, which costs no thread; who
 * changes an order wakes it. */
#include "serve/desk.h"

#include "base/clock.h"
#include "image/decoders.h"

#include <microhttpd.h>
#include <poll.h>
#include <string.h>
#include <time.h>

enum {
    GATHER_MS = 10,  /* what streams got meanwhile goes out together: tokens may come faster than waking is worth */
    LOOK_EVERY = 5,  /* times of that between two looks whether the clients are there */
    PULSE_MS = 2000  /* of silence before a NUL */
};

void lp_order_init(struct lp_order *o, void (*work)(struct lp_order *), void (*close)(struct lp_order *)) {
    o->work = work;
    o->close = close;
    o->holders = 1;
}

/* Locked. */
static void let_go(struct lp_order *o) {
    if (--o->holders)
        return;
    lp_str_done(&o->out);
    o->close(o);
}

/* Locked. The connection that sleeps, or NULL. Nothing ends it before it is resumed, so that this may wait until the lock is
 * free: its thread, which runs at once, would run into it. */
static struct MHD_Connection *wake(struct lp_order *o) {
    struct MHD_Connection *asleep = o->suspended ? o->connection : NULL;
    o->suspended = false;
    return asleep;
}

static void resume(struct MHD_Connection *asleep) {
    if (asleep)
        MHD_resume_connection(asleep);
}

/* Locked. */
static struct MHD_Connection *finish(struct lp_order *o) {
    o->begun = o->done = true;
    struct MHD_Connection *asleep = wake(o);
    let_go(o);
    return asleep;
}

/* Locked. Its client is not woken here, which would hold up who writes: the watcher does it soon. */
static void add(struct lp_order *o, const char *bytes, size_t n) {
    lp_str_add(&o->out, bytes, n);
    if (o->out.failed)
        atomic_store(&o->cancel, true);
    o->wrote_ms = lp_clock_ms();
}

void lp_order_begin(struct lp_order *o) {
    pthread_mutex_lock(&o->desk->lock);
    o->begun = true; /* its first bytes wake the client */
    o->wrote_ms = lp_clock_ms();
    pthread_mutex_unlock(&o->desk->lock);
}

void lp_order_write(struct lp_order *o, const char *bytes, size_t n) {
    pthread_mutex_lock(&o->desk->lock);
    add(o, bytes, n);
    pthread_mutex_unlock(&o->desk->lock);
}

size_t lp_order_unread(struct lp_order *o) {
    pthread_mutex_lock(&o->desk->lock);
    size_t n = o->out.n - o->sent;
    pthread_mutex_unlock(&o->desk->lock);
    return n;
}

bool lp_order_has_begun(struct lp_order *o) {
    pthread_mutex_lock(&o->desk->lock);
    bool begun = o->begun;
    pthread_mutex_unlock(&o->desk->lock);
    return begun;
}

static void *run_thread(void *context) {
    struct lp_desk *d = context;
    pthread_mutex_lock(&d->lock);
    int number = 0;
    while (!pthread_equal(d->thread[number], pthread_self()))
        number++;
    for (;;) {
        while (!d->line && !d->closing)
            pthread_cond_wait(&d->bell, &d->lock);
        struct lp_order *o = d->line;
        if (!o)
            break;
        d->line = o->next;
        d->waiting--;
        d->working++;
        d->at_work[number] = o;
        pthread_mutex_unlock(&d->lock);
        lp_decoders_heed(&o->cancel);
        o->work(o);
        lp_decoders_heed(NULL);
        pthread_mutex_lock(&d->lock);
        d->at_work[number] = NULL;
        d->working--;
        struct MHD_Connection *asleep = finish(o);
        pthread_mutex_unlock(&d->lock);
        resume(asleep);
        pthread_mutex_lock(&d->lock);
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
    for (int i = 0; i < d->threads; i++)
        if (d->at_work[i] && ends(d->at_work[i], tag)) {
            atomic_store(&d->at_work[i]->cancel, true);
            ended++;
        }
    for (struct lp_order **at = &d->line, *o; (o = *at);) {
        if (!ends(o, tag)) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        d->waiting--;
        lp_fault_set(&o->fault, LP_GONE, NULL, "canceled", "stopped before its turn");
        resume(finish(o));
        ended++;
    }
    return ended;
}

/* Locked. Also an order that waits is begun by its first pulse: a client that reads frames must not give up. */
static void pulse(struct lp_order *o, double now) {
    if (!o->pulses || now - o->wrote_ms < PULSE_MS)
        return;
    o->begun = true;
    add(o, "", 1);
}

/* Locked. Lets an order tell how it goes, and its client read. */
static void watch(struct lp_order *o) {
    if (!o->begun)
        return;
    if (o->watch)
        o->watch(o, &o->out);
    if (o->out.n > o->sent)
        resume(wake(o));
}

/* Locked. */
static void tell_of_time(struct lp_desk *d) {
    double now = lp_clock_ms();
    for (struct lp_order *o = d->line; o; o = o->next) {
        pulse(o, now);
        watch(o);
    }
    for (int i = 0; i < d->threads; i++)
        if (d->at_work[i]) {
            pulse(d->at_work[i], now);
            watch(d->at_work[i]);
        }
}

static void *run_watcher(void *context) {
    struct lp_desk *d = context;
    pthread_mutex_lock(&d->lock);
    for (unsigned round = 0; !d->closing || d->line || d->working; round++) {
        if (!d->line && !d->working) {
            pthread_cond_wait(&d->bell, &d->lock);
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += GATHER_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        while (pthread_cond_timedwait(&d->bell, &d->lock, &until) == 0) {
        }
        if (round % LOOK_EVERY == 0)
            end_orders(d, is_gone, NULL);
        tell_of_time(d);
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

bool lp_desk_init(struct lp_desk *d, int threads, int most_waiting, struct lp_error *err) {
    *d = (struct lp_desk){.most_waiting = most_waiting};
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->bell, NULL);
    pthread_mutex_lock(&d->lock); /* a thread looks for itself in the list */
    while (d->threads < threads && !pthread_create(&d->thread[d->threads], NULL, run_thread, d))
        d->threads++;
    pthread_mutex_unlock(&d->lock);
    if (d->threads == threads && !pthread_create(&d->watcher, NULL, run_watcher, d))
        return d->started = true;
    lp_desk_close(d);
    for (int i = 0; i < d->threads; i++)
        pthread_join(d->thread[i], NULL);
    return lp_error_set(err, LP_EMEMORY, "the server's threads cannot be started");
}

void lp_desk_done(struct lp_desk *d) {
    if (!d->started)
        return;
    lp_desk_close(d);
    for (int i = 0; i < d->threads; i++)
        pthread_join(d->thread[i], NULL);
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

void lp_desk_state(struct lp_desk *d, int *waiting, int *working) {
    pthread_mutex_lock(&d->lock);
    *waiting = d->waiting;
    *working = d->working;
    pthread_mutex_unlock(&d->lock);
}

bool lp_desk_put(struct lp_desk *d, struct lp_order *o) {
    pthread_mutex_lock(&d->lock);
    struct lp_order **end = &d->line;
    while (*end)
        end = &(*end)->next;
    bool room = !d->closing && d->waiting < d->most_waiting + d->threads - d->working;
    if (room) {
        *end = o;
        o->desk = d;
        o->wrote_ms = lp_clock_ms();
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

long lp_desk_read(struct lp_desk *d, struct lp_order *o, char *out, size_t n) {
    pthread_mutex_lock(&d->lock);
    size_t left = o->out.n - o->sent, k = left < n ? left : n;
    if (k)
        memcpy(out, o->out.s + o->sent, k);
    else if (!o->done)
        sleep_until_woken(o);
    o->sent += k;
    if (o->sent == o->out.n)
        o->sent = o->out.n = 0;
    long result = k || !o->done ? (long)k : -1;
    pthread_mutex_unlock(&d->lock);
    return result;
}
