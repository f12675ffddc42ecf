/* SPDX-License-Identifier: MIT */
/* serve/metrics.c - counters and histograms in Prometheus' text format, version 0.0.4. */
#include "serve/metrics.h"

static const int statuses[LP_METRIC_STATUSES] = {200, 201, 204, 400, 401, 403, 404, 405, 409,
                                                 413, 415, 429, 431, 499, 500, 501, 502, 503, 507};
static const double bounds[LP_METRIC_BUCKETS] = {0.001, 0.005, 0.02, 0.1, 0.25, 0.5,  1,
                                                 2.5,   5,     10,   30,  120,  1e300};

void lp_metrics_add(struct lp_metrics *m, int route, int status, double ms) {
    int s = 0, b = 0;
    while (s < LP_METRIC_STATUSES - 1 && statuses[s] != status)
        s++;
    while (b < LP_METRIC_BUCKETS - 1 && ms / 1000 > bounds[b])
        b++;
    atomic_fetch_add(&m->requests[route][s], 1);
    atomic_fetch_add(&m->bucket[route][b], 1);
    atomic_fetch_add(&m->microseconds[route], (uint_fast64_t)(ms * 1000));
}

static void format_requests(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                            struct lp_str *out) {
    lp_str_puts(out, "# HELP llava_plus_requests_total Requests by route and status.\n"
                     "# TYPE llava_plus_requests_total counter\n");
    for (int r = 0; r < n; r++)
        for (int s = 0; s < LP_METRIC_STATUSES; s++) {
            unsigned long long count = atomic_load(&m->requests[r][s]);
            if (count && statuses[s])
                lp_str_printf(out, "llava_plus_requests_total{method=\"%s\",route=\"%s\",status=\"%d\"} %llu\n", method[r], name[r],
                              statuses[s], count);
            else if (count)
                lp_str_printf(out, "llava_plus_requests_total{method=\"%s\",route=\"%s\",status=\"other\"} %llu\n", method[r], name[r],
                              count);
        }
}

static void format_seconds(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                           struct lp_str *out) {
    static const char metric[] = "llava_plus_request_seconds";
    lp_str_printf(out, "# HELP %s From a request's head to the end of its answer.\n# TYPE %s histogram\n",
                  metric, metric);
    for (int r = 0; r < n; r++) {
        unsigned long long sum = 0;
        for (int b = 0; b < LP_METRIC_BUCKETS; b++)
            sum += atomic_load(&m->bucket[r][b]);
        if (!sum)
            continue;
        sum = 0;
        for (int b = 0; b < LP_METRIC_BUCKETS; b++) {
            sum += atomic_load(&m->bucket[r][b]);
            if (b < LP_METRIC_BUCKETS - 1)
                lp_str_printf(out, "%s_bucket{method=\"%s\",route=\"%s\",le=\"%g\"} %llu\n", metric, method[r], name[r], bounds[b],
                              sum);
            else
                lp_str_printf(out, "%s_bucket{method=\"%s\",route=\"%s\",le=\"+Inf\"} %llu\n", metric, method[r], name[r], sum);
        }
        lp_str_printf(out, "%s_sum{method=\"%s\",route=\"%s\"} %.6f\n%s_count{method=\"%s\",route=\"%s\"} %llu\n", metric, method[r], name[r],
                      (double)atomic_load(&m->microseconds[r]) / 1e6, metric, method[r], name[r], sum);
    }
}

static void format_counter(struct lp_str *out, const char *name, const char *help,
                           atomic_uint_fast64_t *value) {
    lp_str_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
                  (unsigned long long)atomic_load(value));
}

void lp_metrics_format(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                       struct lp_str *out) {
    format_requests(m, method, name, n, out);
    format_seconds(m, method, name, n, out);
    format_counter(out, "llava_plus_prompt_tokens_total", "Positions that the planner read for answers.",
                   &m->prompt_tokens);
    format_counter(out, "llava_plus_completion_tokens_total", "Tokens of answers.", &m->completion_tokens);
    format_counter(out, "llava_plus_canceled_total", "Turns that ended because the client went away.",
                   &m->canceled);
}
