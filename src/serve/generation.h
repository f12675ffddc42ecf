/* SPDX-License-Identifier: MIT */
/* A prompt that a planner worker goes on with. */
#ifndef LP_SERVE_GENERATION_H
#define LP_SERVE_GENERATION_H

#include "serve/worker.h"
#include "serve/exchange.h"

enum { LP_GENERATION_STOPS = 8, LP_GENERATION_PICTURES = 16, LP_GENERATION_TOKENS = 1024 };
#define LP_GENERATION_PIXELS 100000000 /* of all pictures of a request */

/* Zero it first. Texts are borrowed from `body`. */
struct lp_generation {
    json_t *body; /* owned */
    const char *prompt;
    bool echo; /* frames repeat the prompt */
    double temperature, top_p;
    int64_t most_tokens;
    uint64_t seed;
    const char *stop[LP_GENERATION_STOPS];
    int stops;
    const char *picture[LP_GENERATION_PICTURES]; /* base64, or data URLs */
    int pictures;
};

/* Reads a request, which is taken, also on failure: LP_EINPUT. Then lp_generation_done. */
bool lp_generation_read(struct lp_generation *g, json_t *body, struct lp_error *err);
void lp_generation_done(struct lp_generation *g);

/* Who gets its frames, the last one marked so. */
struct lp_generation_listener {
    void (*frame)(void *context, const json_t *frame, bool last);
    void *context;
};

/* Writes on. What goes wrong is told in the last frame; where it was canceled none is last. */
void lp_generation_run(const struct lp_generation *g, struct lp_planner_worker *w, const atomic_bool *cancel,
                       const struct lp_generation_listener *listener);

/* Tokens of a prompt, a picture's mark as one; -1 when out of memory. */
int64_t lp_generation_count(const struct lp_planner_worker *w, const char *prompt);

#endif
