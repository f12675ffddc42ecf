/* SPDX-License-Identifier: MIT */
/* A chat model behind an OpenAI-compatible address, asked with patience: what may pass (429, 5xx, lost
 * connections) is tried again, later and later. */
#ifndef LP_BASE_ENDPOINT_H
#define LP_BASE_ENDPOINT_H

#include "base/http.h"
#include "base/json.h"

struct lp_endpoint_settings {
    const char *url; /* "https://host/v1"; "/chat/completions" is put behind unless it stands there */
    const char *key; /* or NULL */
    int attempts;    /* of one question */
    double pause_s, longest_pause_s; /* before the second attempt, doubled for each further one; the server's
                                        own wish counts */
    long wait_ms;                    /* as in lp_http_settings */
    size_t limit;                    /* most bytes of an answer */
    bool (*wait)(void *context, double seconds); /* NULL: sleeps; false ends it with LP_ECANCELED */
    void *context;
};
/* 6 attempts, 1 s to 60 s (10 minutes where the server says so), 2 minutes, 4 MiB. */
void lp_endpoint_defaults(struct lp_endpoint_settings *s);

/* The key that the environment variable OPENAI_API_KEY holds, or NULL. */
const char *lp_endpoint_key(void);

struct lp_endpoint;
/* The url is borrowed until close. Errors of lp_http_open. */
struct lp_endpoint *lp_endpoint_open(const struct lp_endpoint_settings *s, struct lp_error *err);
void lp_endpoint_close(struct lp_endpoint *e); /* NULL is fine */

/* Posts until there is an answer that will not get better by waiting; asks only once where the listener has
 * heard something. `hopeless`: words, ended by NULL, of complaints with status 500 or 501 that waiting does
 * not cure; NULL: none. Any such answer is true, also a refusal. False: LP_EIO when the server is busy or out
 * of reach after all attempts, LP_EINPUT over the limit, LP_ECANCELED, LP_EMEMORY. */
bool lp_endpoint_post(struct lp_endpoint *e, const json_t *question, const struct lp_http_listener *listener,
                      const char *const *hopeless, struct lp_http_reply *reply, struct lp_error *err);

/* Whether the status is 2xx. Else a sentence with the server's own words: LP_EIO. */
bool lp_endpoint_accepted(const struct lp_endpoint *e, const struct lp_http_reply *reply,
                          struct lp_error *err);

/* The server's own words about a failure, borrowed from its answer; NULL when it has none. */
const char *lp_endpoint_words(const json_t *answer);
/* Whether its words about a failure, in any case, hold one of `words`, a list ended by NULL. */
bool lp_endpoint_speaks_of(const struct lp_http_reply *reply, const char *const *words);

#endif
