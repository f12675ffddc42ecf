/* SPDX-License-Identifier: MIT */
/* A message of a session: what its client asks, and how it becomes a turn at the planner's desk. docs/api.md has the
 * JSON. */
#ifndef LP_SERVE_SESSION_H
#define LP_SERVE_SESSION_H

#include "plan/prompts.h"
#include "serve/seat.h"
#include "serve/state.h"

enum { LP_STROKES = 16, LP_STROKE_POINTS = 512 /* of all strokes */ };

/* A stroke of a brush on the newest picture: corners 0..1, the brush's width as a part of the picture's longer side. */
struct lp_stroke {
    int first, n; /* of the message's corners */
    float width;
};

/* A message as it came. Zero it first; strings are borrowed from `body`. */
struct lp_ask {
    json_t *body; /* owned */
    const char *text;
    struct lp_prompts prompts; /* points, boxes and reference boxes; the reference is not decoded yet */
    int *label;                /* of the points; NULL: none; owned */
    struct lp_stroke stroke[LP_STROKES];
    float corner[LP_STROKE_POINTS][2];
    int strokes, corners;
    const char *reference; /* a data URL or a picture's handle; NULL: none */
    bool stream, debug;
    double temperature, top_p;
    int64_t seed;
};

/* Reads a body of n bytes; `sampling` has what the client leaves out. Then lp_ask_done, also after failure. */
bool lp_ask_parse(struct lp_ask *ask, const char *body, size_t n, const struct lp_sampling *sampling,
                  struct lp_fault *fault);
void lp_ask_done(struct lp_ask *ask);
/* What the session's history tells of it: all but pictures and settings. Owned by caller; NULL when out of memory. */
json_t *lp_ask_history(const struct lp_ask *ask);

/* A message as an order at the desk, whose tag is the session's id. */
struct lp_session_order {
    struct lp_order order;  /* first */
    struct lp_seat *seat;   /* borrowed */
    struct lp_state *state; /* borrowed */
    struct lp_hash owner;
    struct lp_ask ask;
    json_t *turn;            /* once done: as the session's history has it */
    atomic_int call;         /* the number of the skill's call that runs; 0: none */
    _Atomic double began_ms; /* of it */
    int told_call, told_s;   /* locked: of it, seconds that its client knows of */
};
/* Held by the caller; NULL when out of memory. */
struct lp_session_order *lp_session_order_new(struct lp_seat *seat);

#endif
