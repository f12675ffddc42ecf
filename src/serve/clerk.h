/* SPDX-License-Identifier: MIT */
/* Clerks: threads that do what is too slow for the threads of HTTP and needs no planner, such as waiting for the disk. */
#ifndef LP_SERVE_CLERK_H
#define LP_SERVE_CLERK_H

#include "base/error.h"
#include "serve/fault.h"

#include <pthread.h>

struct lp_exchange;

enum { LP_CLERKS = 2, LP_CLERKS_WAITING = 256 };

/* What an exchange has a clerk do, and the answer that it brings. */
struct lp_errand {
    void (*run)(struct lp_exchange *x); /* on a clerk's thread; fills the rest. NULL: there is no errand */
    struct lp_fault fault;              /* status 0: it went well, and then: */
    int status;                         /* of the answer */
    const char *type;                   /* of bytes; static */
    void *bytes;                        /* owned; NULL: see value */
    size_t n;
    json_t *value; /* owned; with neither: no content */
    struct lp_exchange *next;
    bool done, suspended; /* locked */
};

struct lp_clerks {
    pthread_mutex_t lock;
    pthread_cond_t bell;
    pthread_t thread[LP_CLERKS];
    int threads;                       /* started */
    struct lp_exchange *first, **last; /* locked */
    int waiting;                       /* locked */
    bool closing;                      /* locked */
};

/* lp_clerks_done also after failure, on zeroed ones too: it ends when all errands are done. */
bool lp_clerks_init(struct lp_clerks *c, struct lp_error *err);
void lp_clerks_done(struct lp_clerks *c);

/* For lp_route.run: sends a clerk; what is beyond LP_CLERKS_WAITING is answered at once. */
void lp_errand_send(struct lp_exchange *x, void (*run)(struct lp_exchange *x));
/* For lp_route.finish: gives the answer that the clerk brought; until then the connection sleeps. */
void lp_errand_finish(struct lp_exchange *x);
void lp_errand_done(struct lp_errand *errand);

#endif
