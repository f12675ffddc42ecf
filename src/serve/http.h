/* SPDX-License-Identifier: MIT */
/* A server on this machine: routes, and a desk for what takes its time. Today's sites are a planner behind the API of
 * OpenAI, a controller of workers, and workers. */
#ifndef LP_SERVE_HTTP_H
#define LP_SERVE_HTTP_H

#include "base/fetch.h"
#include "plan/agent.h"

struct lp_server_settings {
    const char *host; /* a numeric address or "localhost" */
    int port;         /* 0: any that is free */
    const char *key; /* the API keys, parted by spaces, of which clients must show one; NULL: none, and only
                        loopback addresses are bound */
    const char *worker_key; /* those of which workers must show one to register; NULL: `key` */
    const char *const *origin; /* pages of these origins may call, beside the server's own */
    int origins;
    size_t most_body; /* bytes of a request's body */
    int most_waiting; /* requests that wait for the planner; more get 429 */
    int most_connections;
    const struct lp_fetch_settings *pictures; /* how a request's pictures at https addresses are fetched; NULL: they are not */
    const char *state; /* folder of the sessions; NULL: a temporary one */
    size_t most_state; /* bytes of their pictures */
    int log; /* descriptor for one JSON line a request; -1: none */
};
/* 127.0.0.1, 8080, no key, no origins, 32 MiB, 16, 512, temporary, 10 GiB, no log. */
void lp_server_defaults(struct lp_server_settings *s);

struct lp_server;

/* What a server serves. */
struct lp_route; /* serve/exchange.h */
struct lp_site {
    const struct lp_route *route;
    int routes;
    int threads;       /* of the desk */
    void *self;        /* what the routes work with; from any thread */
    const char *model; /* the planner's name: `self` is the agent, and there are sessions; NULL: no planner */
};

/* Starts serving with threads of its own. What the settings and the site point to is borrowed until close. Owned by
 * caller (lp_server_close). NULL: LP_EUSAGE for a host that is no address, or one beyond loopback without a key;
 * LP_EIO when the address is taken; LP_EMEMORY; what lp_state_open says. */
struct lp_server *lp_server_open_site(const struct lp_server_settings *s, const struct lp_site *site,
                                      struct lp_error *err);

/* The planner behind the API of OpenAI and that of sessions. One thread works the agent, which is borrowed until
 * close: nobody else may touch it. */
struct lp_server *lp_server_open(const struct lp_server_settings *s, struct lp_agent *agent,
                                 struct lp_error *err);
int lp_server_port(const struct lp_server *s);

/* Takes no further connections and requests, and returns when those that run or wait have their answers.
 * lp_server_hurry, from any thread, makes them end at once. */
void lp_server_stop(struct lp_server *s);
void lp_server_hurry(struct lp_server *s);
/* Stops in a hurry where lp_server_stop was not called. NULL is fine. */
void lp_server_close(struct lp_server *s);

#endif
