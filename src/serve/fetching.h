/* SPDX-License-Identifier: MIT */
/* Pictures at addresses that a request names, fetched before its turn comes: on threads of their own, so that neither the
 * planner nor the clerks wait for other people's servers. */
#ifndef LP_SERVE_FETCHING_H
#define LP_SERVE_FETCHING_H

#include "serve/chat.h"
#include "serve/exchange.h"

struct lp_fetching {
    struct lp_order order;                    /* first; at the server's desk `fetchers` */
    const struct lp_fetch_settings *settings; /* borrowed from the server */
    const char *param;                        /* of the faults; static */
    int n;
    struct lp_str url[LP_CHAT_PICTURES], picture[LP_CHAT_PICTURES]; /* picture: once done, its file as it came */
};

/* For lp_route.run, where the server's settings have `pictures`: begins to fetch n pictures, at most LP_CHAT_PICTURES; addresses
 * are copied. It is x->fetching; False: 429, 503. */
bool lp_fetching_begin(struct lp_exchange *x, const char *const *url, int n, const char *param, struct lp_fault *fault);

/* For lp_route.finish: false: not yet, the connection sleeps until then. True: the pictures are there, or *fault tells why
 * not. */
bool lp_fetching_ended(struct lp_exchange *x, struct lp_fault *fault);
/* The i-th picture's file, which is the caller's now. */
struct lp_str lp_fetching_take(struct lp_exchange *x, int i);
/* The exchange waits for pictures no more, and drops what was not taken. */
void lp_fetching_end(struct lp_exchange *x);

#endif
