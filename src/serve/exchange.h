/* SPDX-License-Identifier: MIT */
/* One HTTP request and its answer, and what the server's files share. */
#ifndef LP_SERVE_EXCHANGE_H
#define LP_SERVE_EXCHANGE_H

#include "base/json.h"
#include "base/str.h"
#include "serve/clerk.h"
#include "serve/desk.h"
#include "serve/http.h"
#include "serve/metrics.h"
#include "serve/seat.h"
#include "serve/state.h"

#include <microhttpd.h>

enum { LP_SERVE_HEADERS = 16 << 10 }; /* most bytes of a request's headers */

struct lp_server {
    struct lp_server_settings settings;
    struct lp_site site;
    struct MHD_Daemon *daemon;
    struct lp_desk desk;
    struct lp_desk fetchers; /* where settings.pictures */
    struct lp_seat seat;     /* of a site with a planner */
    struct lp_clerks clerks; /* of a site with sessions, */
    struct lp_state *state;  /* NULL: without */
    struct lp_metrics metrics;
    int64_t began;     /* seconds since 1970 */
    bool loopback;     /* bound to this machine only */
    bool stopped;
    atomic_bool stopping;
    atomic_int open;    /* exchanges without their whole answer */
    atomic_size_t held; /* bytes of all bodies and fetched pictures that are kept */
};

struct lp_exchange;

enum { /* lp_route.ways */
    LP_ROUTE_OPEN = 1,  /* needs no key */
    LP_ROUTE_PLAIN = 2, /* the body may be of any Content-Type, or none */
    LP_ROUTE_PICTURES = 4, /* the body may also be a picture or a form with pictures */
    LP_ROUTE_WORKER = 8, /* wants the settings' key of workers, where there is one */
    LP_ROUTE_FORM = 16   /* the body must be a form */
};

struct lp_route {
    const char *method, *path; /* a path that ends in '/' stands for all that goes on from there, '*' for one part */
    int ways;                  /* LP_ROUTE_* */
    void (*run)(struct lp_exchange *x);    /* answers, or leaves a fetching, an order or an errand */
    void (*finish)(struct lp_exchange *x); /* answers once that has begun or is done; NULL: leaves none */
};
extern const struct lp_route lp_routes[];
int lp_routes_count(void);

struct lp_exchange {
    struct lp_server *server;
    struct MHD_Connection *connection;
    const struct lp_route *route; /* NULL: there is none */
    const char *path;             /* borrowed from the connection */
    char id[32];                  /* "req_" and 24 digits */
    double began_ms;
    struct lp_str body;
    size_t received, kept;   /* bytes of the body; bytes counted in the server's `held` */
    struct lp_fault refused; /* status not 0: what will be the answer */
    struct lp_fetching *fetching; /* pictures that it waits for; NULL: none */
    struct lp_order *order;  /* NULL: none */
    struct lp_errand errand; /* run NULL: none */
    int status;              /* of the answer; 0: none yet */
};

/* The i-th part of the path that its route's '*' stand for, into out; "" when it is too long. */
void lp_exchange_part(const struct lp_exchange *x, int i, char *out, size_t size);

/* Each gives the exchange its answer. */
void lp_answer_json(struct lp_exchange *x, int status, const json_t *value);
void lp_answer_text(struct lp_exchange *x, int status, const char *type, const char *text);
void lp_answer_fault(struct lp_exchange *x, const struct lp_fault *fault);
void lp_answer_bytes(struct lp_exchange *x, int status, const char *type, void *taken, size_t n);
/* Sends the response, which is given away and NULL when memory ran out. What it says of its caching stays; else none is
 * allowed. */
void lp_answer(struct lp_exchange *x, int status, const char *type, struct MHD_Response *response);
/* Trouble in a worker's words (serve/frame.h): a frame, or the same as JSON. */
void lp_answer_trouble(struct lp_exchange *x, int status, int code, const char *why, bool frame);
/* The stream that the order writes. */
void lp_answer_stream(struct lp_exchange *x, const char *type);

/* Puts the order, which the exchange holds, in a desk's line. False: 429 or 503. */
bool lp_exchange_order(struct lp_exchange *x, struct lp_desk *desk, struct lp_order *order, struct lp_fault *fault);

/* Counts n more bytes that are kept for it until its end. False: 503, all exchanges together keep too many. */
bool lp_exchange_hold(struct lp_exchange *x, size_t n, struct lp_fault *fault);

/* Whether the request may be served as far as its headers tell. */
bool lp_guard(const struct lp_exchange *x, const char *method, struct lp_fault *fault);
/* The origin that the answer shall allow, or NULL; borrowed. */
const char *lp_guard_origin(const struct lp_exchange *x);

/* The hash of the key that was shown, by which sessions are told apart; of nothing where none is needed. */
struct lp_hash lp_guard_owner(const struct lp_exchange *x);

/* One line about a finished exchange: how long it took, and planner and skills of that. */
void lp_exchange_log(const struct lp_exchange *x, double ms, double planner_ms);

#endif
