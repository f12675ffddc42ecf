/* SPDX-License-Identifier: MIT */
/* What the server counts, for Prometheus. */
#ifndef LP_SERVE_METRICS_H
#define LP_SERVE_METRICS_H

#include "base/str.h"
#include "skill/skill.h"

#include <stdatomic.h>
#include <stdint.h>

enum { LP_METRIC_ROUTES = 32, LP_METRIC_STATUSES = 24, LP_METRIC_BUCKETS = 13 };

/* How long something took, so many times. */
struct lp_histogram {
    atomic_uint_fast64_t bucket[LP_METRIC_BUCKETS]; /* each alone, not summed up */
    atomic_uint_fast64_t microseconds;
};

/* How a skill's call ended. */
enum lp_skill_end { LP_SKILL_DONE, LP_SKILL_FAILED, LP_SKILL_NOT_READY, LP_SKILL_ENDS };
extern const char *const lp_skill_ends[LP_SKILL_ENDS]; /* "done", "failed", "not ready" */

/* Zero is a valid start. From any thread. */
struct lp_metrics {
    atomic_uint_fast64_t requests[LP_METRIC_ROUTES][LP_METRIC_STATUSES]; /* the last status: all others */
    struct lp_histogram seconds[LP_METRIC_ROUTES];
    atomic_uint_fast64_t calls[LP_SKILL_COUNT][LP_SKILL_ENDS];
    struct lp_histogram skill[LP_SKILL_COUNT], encode;
    atomic_uint_fast64_t prompt_tokens, completion_tokens, plan_failures, canceled;
};

/* `route`: its number, below LP_METRIC_ROUTES. */
void lp_metrics_add(struct lp_metrics *m, int route, int status, double ms);
/* A call of a skill, which has no time where it was not ready. */
void lp_metrics_add_call(struct lp_metrics *m, const struct lp_skill *skill, enum lp_skill_end end, double ms);
void lp_histogram_add(struct lp_histogram *h, double ms);

/* Adds the counters in Prometheus' text format. name[i] is the name of route i, of `n`, method[i] its method. `planner`: those
 * of a planner and its skills, too. */
void lp_metrics_format(struct lp_metrics *m, const char *const *method, const char *const *name, int n, bool planner,
                       struct lp_str *out);

#endif
