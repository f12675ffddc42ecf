/* SPDX-License-Identifier: MIT */
/* One question to a web server that the user named, and its answer. Only https and http; no redirects, no cookies,
 * nothing beyond the address given. */
#ifndef LP_BASE_HTTP_H
#define LP_BASE_HTTP_H

#include "base/error.h"

struct lp_http; /* keeps its connection open between requests; one thread at a time */

struct lp_http_settings {
    const char *url;   /* borrowed during the call */
    const char *key;   /* sent as a bearer token, only over https or to this machine; NULL: none */
    size_t limit;      /* most bytes of an answer */
    long wait_ms;      /* most time for a whole request */
};
void lp_http_defaults(struct lp_http_settings *s); /* 4 MiB, two minutes */

/* NULL on failure: LP_EUSAGE for an address that is not https:// or http://, has a user or password in it, or where the key
 * would travel in clear text; LP_EMEMORY. */
struct lp_http *lp_http_open(const struct lp_http_settings *s, struct lp_error *err);
void lp_http_close(struct lp_http *http); /* NULL is fine */

struct lp_http_reply {
    int status;      /* 200, 429, .. */
    double again_s;  /* Retry-After, 0 where there is none */
    const char *body; /* borrowed until the next request; ended by a NUL beyond its `size` */
    size_t size;     /* bytes */
};

/* Posts JSON. LP_EIO: no answer came (no connection, cut off, too slow), asking again may help; LP_EINPUT: an answer over
 * the limit; LP_EMEMORY. Any status is an answer. */
bool lp_http_post(struct lp_http *http, const char *json, struct lp_http_reply *reply, struct lp_error *err);

#endif
