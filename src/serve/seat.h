/* SPDX-License-Identifier: MIT */
/* What orders work with on the only thread of the planner's desk. */
#ifndef LP_SERVE_SEAT_H
#define LP_SERVE_SEAT_H

#include "plan/agent.h"
#include "serve/desk.h"

struct lp_metrics;

struct lp_seat {
    struct lp_agent *agent; /* borrowed */
    struct lp_metrics *metrics;
    char held[LP_TAG]; /* the tag whose conversation the agent holds, whole; "": none */
};

#endif
