/* SPDX-License-Identifier: MIT */
/* Running a plan's calls. */
#ifndef LP_PLAN_RUN_H
#define LP_PLAN_RUN_H

#include "plan/agent.h"

/* One action and what became of it. */
struct lp_job {
    const char *api_name;         /* borrowed from the plan */
    const struct lp_skill *skill; /* NULL: there is no such skill */
    json_t *params;               /* normal form, handles resolved; owned */
    struct lp_call call;
    char *message;     /* for the planner when it did not run: "The sam is not ready ..."; owned */
    const char *lacks; /* not NULL: it is not ready */
    bool ran;
};

/* A plan's actions as jobs, owned by caller (lp_jobs_done); NULL when out of memory or there are none. */
struct lp_job *lp_jobs_new(const json_t *actions, int *n);
void lp_jobs_done(struct lp_job *job, int n);

/* Runs them in order. Only LP_ECANCELED and LP_EMEMORY are failures; all else becomes a message. */
bool lp_jobs_run(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                 const json_t *actions, struct lp_job *job, int n, struct lp_error *err);

/* What the understanding skills say of the pictures that no message has shown yet, as lines of results (LP_TOOLS_ALL). */
bool lp_agent_look(struct lp_agent *a, const struct lp_request *request, const struct lp_hooks *hooks,
                   struct lp_str *lines, struct lp_error *err);

#endif
