/* SPDX-License-Identifier: MIT */
/* What the server counts, for Prometheus. */
#ifndef LP_SERVE_METRICS_H
#define LP_SERVE_METRICS_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

enum { LP_METRIC_ROUTES = 32, LP_METRIC_STATUSES = 24, LP_METRIC_BUCKETS = 13 };

/* Zero is a valid start. From any thread. */
struct lp_metrics {
    atomic_uint_fast64_t requests[LP_METRIC_ROUTES][LP_METRIC_STATUSES]; /* the last status: all others */
    atomic_uint_fast64_t bucket[LP_METRIC_ROUTES][LP_METRIC_BUCKETS];    /* each alone, not summed up */
    atomic_uint_fast64_t microseconds[LP_METRIC_ROUTES];
    atomic_uint_fast64_t prompt_tokens, completion_tokens, canceled;
};

/* `route`: its number, below LP_METRIC_ROUTES. */
void lp_metrics_add(struct lp_metrics *m, int route, int status, double ms);

/* Adds the counters in Prometheus' text format. name[i] is the name of route i, of `n`, method[i] its method. */
void lp_metrics_format(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                       struct lp_str *out);

#endif
