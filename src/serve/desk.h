/* SPDX-License-Identifier: MIT */
/* A desk: work that takes its time waits in a line, threads of the desk's own do it one after the other, and
 * another thread looks whether the clients are still there. */
#ifndef LP_SERVE_DESK_H
#define LP_SERVE_DESK_H

#include "base/str.h"
#include "serve/fault.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LP_DESK_THREADS = 64, LP_TAG = 40 }; /* LP_TAG: bytes of what an order is about */

struct MHD_Connection;
struct lp_desk;

/* A request from its parsing to its answer: the first member of what its route makes of it. Two hold it: the
 * exchange and the desk. What is said to be locked needs the desk's lock. */
struct lp_order {
    void (*work)(struct lp_order *o);  /* on a thread of the desk: does it, fills `fault` where it fails */
    void (*close)(struct lp_order *o); /* frees all of it */
    /* Locked: adds what its client shall know of time passing, once it has begun; NULL: nothing. */
    void (*watch)(struct lp_order *o, struct lp_str *out);
    struct lp_desk *desk;              /* borrowed, once it is put */
    char tag[LP_TAG];                  /* what it is about; "": nothing */
    atomic_bool cancel;                /* set when nobody waits for it any more; or by the work itself */
    _Atomic double planner_ms;         /* of its work: what planner and skills took */
    struct lp_fault fault;             /* once done; status 0: it went well */
    bool pulses; /* when its answer, a stream, has been silent for two seconds, a NUL is sent */

    struct lp_order *next;             /* locked: in line */
    struct MHD_Connection *connection; /* locked; NULL: the exchange is over */
    int socket;                        /* the connection's */
    bool suspended, begun, done;       /* locked; begun: the first bytes can be sent */
    struct lp_str out;                 /* locked: of a stream, what was not read yet, from `sent` on */
    size_t sent;                       /* locked */
    double wrote_ms;                   /* locked: when something was last written */
    int holders;                       /* locked */
};

struct lp_desk {
    pthread_mutex_t lock;
    pthread_cond_t bell; /* something has changed */
    pthread_t thread[LP_DESK_THREADS], watcher;
    int threads;
    bool started, closing;                     /* locked: closing: the threads end when the line is empty */
    struct lp_order *line;                     /* locked */
    struct lp_order *at_work[LP_DESK_THREADS]; /* locked: of each thread, or NULL */
    int waiting, working, most_waiting;        /* locked */
};

/* Starts 1..LP_DESK_THREADS threads. lp_desk_done also after failure, on a zeroed desk too, which is one that nobody works at: it
 * can be closed, canceled and asked for its state as well. */
bool lp_desk_init(struct lp_desk *d, int threads, int most_waiting, struct lp_error *err);
/* Takes no more orders. */
void lp_desk_close(struct lp_desk *d);
/* Does what waits and ends the threads. */
void lp_desk_done(struct lp_desk *d);
void lp_desk_cancel_all(struct lp_desk *d);
/* Ends what is at work or in line about `tag`: whether there was anything. */
bool lp_desk_cancel(struct lp_desk *d, const char *tag);
/* How many orders wait and how many are worked on. */
void lp_desk_state(struct lp_desk *d, int *waiting, int *working);

/* Makes a zeroed order one that the caller holds. */
void lp_order_init(struct lp_order *o, void (*work)(struct lp_order *o), void (*close)(struct lp_order *o));
/* Puts it in line, where the desk holds it too. False: the line is full. */
bool lp_desk_put(struct lp_desk *d, struct lp_order *order);
/* The exchange's end: nobody waits for it any more. The order is not to be used again. */
void lp_desk_leave(struct lp_desk *d, struct lp_order *order);

/* For who works on it. The first bytes of its stream may go now, and before nothing else can be the answer. */
void lp_order_begin(struct lp_order *o);
/* Adds to its stream, which its client gets within 10 ms; out of memory cancels it. */
void lp_order_write(struct lp_order *o, const char *bytes, size_t n);
size_t lp_order_unread(struct lp_order *o); /* bytes of the stream that its client has yet to take */
bool lp_order_has_begun(struct lp_order *o);

/* For the exchange. Whether the order has begun, or with `done` is done. If not, its connection sleeps until it
 * changes. */
bool lp_desk_ready(struct lp_desk *d, struct lp_order *order, bool done);
/* Whether it is done and came to nothing: its fault tells why. */
bool lp_desk_failed(struct lp_desk *d, const struct lp_order *order);
/* Up to n bytes of the stream that were not read yet: how many; 0: none yet, the connection sleeps; -1: no more
 * will come. */
long lp_desk_read(struct lp_desk *d, struct lp_order *order, char *out, size_t n);

#endif
