/* SPDX-License-Identifier: MIT */
/* What orders work with on the only thread of the planner's desk, and the counts of what the planner and its skills do there. */
#ifndef LP_SERVE_SEAT_H
#define LP_SERVE_SEAT_H

#include "plan/agent.h"
#include "serve/desk.h"
#include "serve/metrics.h"

struct lp_seat {
    struct lp_agent *agent; /* borrowed */
    struct lp_metrics *metrics;
    struct lp_pixels *pixels; /* borrowed */
    char held[LP_TAG]; /* the tag whose conversation the agent holds, whole; "": none */
    bool planned;      /* of the request: there is a plan */
    double call_ms;    /* when the skill's call that runs began */
    int looks;         /* of the agent's conversation, as far as they are counted */
    double looks_ms;
};

/* Of every step of a request. */
void lp_seat_note(struct lp_seat *s, const struct lp_step *step);
/* After each lp_agent_ask, lp_agent_plan and lp_agent_answer; `err`: where it was not done. */
void lp_seat_note_end(struct lp_seat *s, bool done, const struct lp_error *err);
/* How the call of a LP_STEP_RESULT ended. */
enum lp_skill_end lp_seat_end_of(const struct lp_step *result);

#endif
