/* SPDX-License-Identifier: MIT */
/* The planner's desk: requests wait in a line, one thread of its own works them one after the other, and
 * another looks whether their clients are still there. */
#ifndef LP_SERVE_DESK_H
#define LP_SERVE_DESK_H

#include "plan/agent.h"
#include "serve/fault.h"

#include <pthread.h>

struct MHD_Connection;
struct lp_metrics;
struct lp_desk;

enum { LP_TAG = 40 }; /* bytes of what an order is about */

/* A request from its parsing to its answer; what is asked and what it came to is in a larger struct that begins
 * with it. Two hold it: the exchange and the desk. What is said to be locked needs the desk's lock. */
struct lp_order {
    void (*work)(struct lp_order *order, struct lp_desk *desk); /* the planner's thread: fills `fault` */
    void (*close)(struct lp_order *order);                      /* frees what is the larger struct's */
    /* Locked: adds what a stream's client shall know of time passing; NULL: nothing. */
    void (*watch)(struct lp_order *order, struct lp_str *events);
    bool stream;                                                /* its client follows events */
    char tag[LP_TAG];                                           /* what it is about; "": nothing */
    atomic_bool cancel;
    struct lp_fault fault;             /* once done; status 0: it went well */
    struct lp_order *next;             /* locked: in line */
    struct MHD_Connection *connection; /* locked; NULL: the exchange is over */
    int socket;                        /* the connection's */
    bool suspended, begun, done;       /* locked; begun: the first event can be sent */
    struct lp_str events;              /* locked: of a stream, what there is so far */
    size_t sent;                       /* of these; the HTTP thread's */
    int holders;                       /* locked */
};

struct lp_desk {
    struct lp_agent *agent; /* borrowed */
    struct lp_metrics *metrics;
    pthread_mutex_t lock;
    pthread_cond_t bell; /* something has changed */
    pthread_t planner, watcher;
    char held[LP_TAG]; /* the planner's thread: the tag whose conversation the agent holds, whole; "": none */
    bool started, closing;           /* locked: closing: the threads end when the line is empty */
    struct lp_order *line, *at_work; /* locked */
    int waiting, most_waiting;       /* locked */
};

/* Starts the threads. lp_desk_done also after failure, on a zeroed desk too. */
bool lp_desk_init(struct lp_desk *d, struct lp_agent *agent, struct lp_metrics *metrics, int most_waiting,
                  struct lp_error *err);
/* Takes no more orders. */
void lp_desk_close(struct lp_desk *d);
/* Works what waits and ends the threads. */
void lp_desk_done(struct lp_desk *d);
void lp_desk_cancel_all(struct lp_desk *d);
/* Ends what is at work or in line about `tag`: whether there was anything. */
bool lp_desk_cancel(struct lp_desk *d, const char *tag);
void lp_desk_state(struct lp_desk *d, int *waiting, bool *busy);

/* An order at the beginning of `size` zeroed bytes, held by the caller; NULL when out of memory. */
struct lp_order *lp_order_new(size_t size, void (*work)(struct lp_order *order, struct lp_desk *desk),
                              void (*close)(struct lp_order *order));
/* Puts it in line, where the desk holds it too. False: the line is full. */
bool lp_desk_put(struct lp_desk *d, struct lp_order *order);
/* The exchange's end: nobody waits for it any more. The order is not to be used again. */
void lp_desk_leave(struct lp_desk *d, struct lp_order *order);
/* Whether the order has begun, or with `done` is done. If not, its connection sleeps until it changes. */
bool lp_desk_ready(struct lp_desk *d, struct lp_order *order, bool done);
/* Whether it is done and came to nothing: its fault tells why. */
bool lp_desk_failed(struct lp_desk *d, const struct lp_order *order);
/* For lp_order.work. lp_order_begin: its client may get an answer, or of a stream the events so far. */
void lp_order_begin(struct lp_desk *d, struct lp_order *order);
/* Adds a text to its events. Where memory ends the order is canceled. */
void lp_order_tell(struct lp_desk *d, struct lp_order *order, const char *text);
/* Whether there is something for its client to follow. */
bool lp_desk_has_events(struct lp_desk *d, const struct lp_order *order);
/* Up to n bytes of events that were not read yet: how many; 0: none yet, the connection sleeps; -1: no more
 * will come. */
long lp_desk_read(struct lp_desk *d, struct lp_order *order, char *out, size_t n);

#endif
