/* SPDX-License-Identifier: MIT */
/* One question to a web server, and its answer. Only https and http; no redirects, no cookies, nothing beyond the address
 * given. */
#ifndef LP_BASE_HTTP_H
#define LP_BASE_HTTP_H

#include "base/error.h"
#include "base/reach.h"

#include <stdatomic.h>

struct lp_http; /* keeps its connection open between requests; one thread at a time */

struct lp_http_settings {
    const char *url;   /* borrowed during the call */
    const char *key;   /* sent as a bearer token, only over https or to this machine; NULL: none */
    bool in_clear;     /* the key may also travel over http to other machines */
    const struct lp_reach *reach; /* for an address that another gave: nothing beyond is dialled, whatever names mean by
                                     then; no proxy is asked; borrowed until close; NULL: the user gave the address */
    const struct lp_addresses *at; /* what the address' host means: only these are dialled, and the system is not asked
                                      again; with `reach`; borrowed until close; NULL: asked as needed */
    bool https;              /* nothing else */
    const char *authorities; /* file of certificates (PEM) to trust; NULL: the system's */
    const char *accept;      /* kinds of answers; NULL: JSON or events */
    size_t limit;      /* most bytes of an answer */
    long wait_ms;      /* most time for a whole request; with a listener, longest silence, and a tenth of the most time */
};
void lp_http_defaults(struct lp_http_settings *s); /* 4 MiB, two minutes */

/* NULL on failure: LP_EUSAGE for an address that is not https:// or http://, has a user or password in it, or where the key
 * would travel in clear text; LP_EMEMORY. */
struct lp_http *lp_http_open(const struct lp_http_settings *s, struct lp_error *err);
/* The same at a path ("/list_models") below the settings' url. */
struct lp_http *lp_http_open_path(const struct lp_http_settings *s, const char *path, struct lp_error *err);
void lp_http_close(struct lp_http *http); /* NULL is fine */

/* Who follows an answer as it comes. Zero: nobody. */
struct lp_http_listener {
    const atomic_bool *cancel; /* set to true by another thread or a signal to end the request at once; NULL: never */
    /* Gets the body of an answer of status 200..299 instead of the reply; false: that is enough. NULL: none. */
    bool (*piece)(void *context, const char *bytes, size_t n);
    void *context;
};

struct lp_http_reply {
    int status;      /* 200, 429, .. */
    double again_s;  /* Retry-After, 0 where there is none */
    const char *location; /* where a redirect leads, whole; borrowed until the next request; NULL: nowhere */
    const char *body; /* borrowed until the next request; ended by a NUL beyond its `size`; "" where the listener got it */
    size_t size;     /* bytes */
    size_t heard;    /* bytes that the listener got, also on failure */
    bool busy;       /* on failure: somebody took the request, and said nothing in time */
};

/* Posts JSON. listener: NULL for none. LP_EIO: no answer came (no connection, cut off, too slow), asking again may help;
 * LP_EINPUT: an answer over the limit; LP_ECANCELED; LP_EMEMORY. Any status is an answer. */
bool lp_http_post(struct lp_http *http, const char *json, const struct lp_http_listener *listener,
                  struct lp_http_reply *reply, struct lp_error *err);
/* The same, asking for what is there. */
bool lp_http_get(struct lp_http *http, const struct lp_http_listener *listener, struct lp_http_reply *reply,
                 struct lp_error *err);

#endif
