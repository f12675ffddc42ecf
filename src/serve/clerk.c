/* SPDX-License-Identifier: MIT */
/* serve/clerk.c - errands in a line. An exchange whose clerk is out sleeps, so that it outlives the errand. */
#include "serve/clerk.h"

#include "base/memory.h"
#include "serve/exchange.h"

static void *work(void *context) {
    struct lp_clerks *c = context;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->first && !c->closing)
            pthread_cond_wait(&c->bell, &c->lock);
        struct lp_exchange *x = c->first;
        if (!x)
            break;
        c->first = x->errand.next;
        if (!c->first)
            c->last = &c->first;
        c->waiting--;
        pthread_mutex_unlock(&c->lock);
        x->errand.run(x);
        pthread_mutex_lock(&c->lock);
        x->errand.done = true;
        if (x->errand.suspended)
            MHD_resume_connection(x->connection);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool lp_clerks_init(struct lp_clerks *c, struct lp_error *err) {
    *c = (struct lp_clerks){.last = &c->first};
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->bell, NULL);
    while (c->threads < LP_CLERKS)
        if (pthread_create(&c->thread[c->threads++], NULL, work, c)) {
            c->threads--;
            return lp_error_set(err, LP_EMEMORY, "a thread cannot be started");
        }
    return true;
}

void lp_clerks_done(struct lp_clerks *c) {
    if (!c->threads)
        return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->bell);
    pthread_mutex_unlock(&c->lock);
    while (c->threads)
        pthread_join(c->thread[--c->threads], NULL);
}

void lp_errand_send(struct lp_exchange *x, void (*run)(struct lp_exchange *x)) {
    struct lp_clerks *c = &x->server->clerks;
    pthread_mutex_lock(&c->lock);
    bool room = c->waiting < LP_CLERKS_WAITING && !c->closing;
    x->errand.run = run;
    if (room) {
        *c->last = x;
        c->last = &x->errand.next;
        c->waiting++;
        pthread_cond_signal(&c->bell);
    } else {
        lp_fault_set(&x->errand.fault, 503, NULL, "busy", "too many requests are here at once: try again");
        x->errand.done = true;
    }
    pthread_mutex_unlock(&c->lock);
}

void lp_errand_finish(struct lp_exchange *x) {
    struct lp_clerks *c = &x->server->clerks;
    struct lp_errand *e = &x->errand;
    pthread_mutex_lock(&c->lock);
    bool done = e->done;
    if (!done) {
        e->suspended = true;
        MHD_suspend_connection(x->connection);
    }
    pthread_mutex_unlock(&c->lock);
    if (!done)
        return;
    if (e->fault.status) {
        lp_answer_fault(x, &e->fault);
    } else if (e->bytes) {
        lp_answer_bytes(x, e->status, e->type, e->bytes, e->n);
        e->bytes = NULL;
    } else if (e->value) {
        lp_answer_json(x, e->status, e->value);
    } else {
        lp_answer_text(x, e->status, "application/json", "");
    }
}

void lp_errand_done(struct lp_errand *e) {
    lp_free(e->bytes);
    json_decref(e->value);
}
