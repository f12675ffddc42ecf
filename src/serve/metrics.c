/* SPDX-License-Identifier: MIT */
/* serve/metrics.c - counters and histograms in Prometheus' text format, version 0.0.4. */
#include "serve/metrics.h"

#include <stdio.h>

const char *const lp_skill_ends[LP_SKILL_ENDS] = {"done", "failed", "not ready"};

static const int statuses[LP_METRIC_STATUSES] = {200, 201, 204, 400, 401, 403, 404, 405, 409,
                                                 413, 415, 429, 431, 499, 500, 501, 502, 503, 507};
static const double bounds[LP_METRIC_BUCKETS] = {0.001, 0.005, 0.02, 0.1, 0.25, 0.5,  1,
                                                 2.5,   5,     10,   30,  120,  1e300};

void lp_histogram_add(struct lp_histogram *h, double ms) {
    int b = 0;
    while (b < LP_METRIC_BUCKETS - 1 && ms / 1000 > bounds[b])
        b++;
    atomic_fetch_add(&h->bucket[b], 1);
    atomic_fetch_add(&h->microseconds, (uint_fast64_t)(ms * 1000));
}

void lp_metrics_add(struct lp_metrics *m, int route, int status, double ms) {
    int s = 0;
    while (s < LP_METRIC_STATUSES - 1 && statuses[s] != status)
        s++;
    atomic_fetch_add(&m->requests[route][s], 1);
    lp_histogram_add(&m->seconds[route], ms);
}

void lp_metrics_add_call(struct lp_metrics *m, const struct lp_skill *skill, enum lp_skill_end end, double ms) {
    int i = lp_skill_index(skill);
    if (i == LP_SKILL_COUNT) /* a planner on a server may name one that is none */
        return;
    atomic_fetch_add(&m->calls[i][end], 1);
    if (end != LP_SKILL_NOT_READY)
        lp_histogram_add(&m->skill[i], ms);
}

static void format_head(struct lp_str *out, const char *name, const char *kind, const char *help) {
    lp_str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void format_requests(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                            struct lp_str *out) {
    format_head(out, "llava_plus_requests_total", "counter", "Requests by route and status.");
    for (int r = 0; r < n; r++)
        for (int s = 0; s < LP_METRIC_STATUSES; s++) {
            unsigned long long count = atomic_load(&m->requests[r][s]);
            char status[12] = "other";
            if (statuses[s])
                snprintf(status, sizeof status, "%d", statuses[s]);
            if (count)
                lp_str_printf(out, "llava_plus_requests_total{method=\"%s\",route=\"%s\",status=\"%s\"} %llu\n", method[r],
                              name[r], status, count);
        }
}

/* One of a metric's histograms, without its head; `labels`: "" or such as `skill="ocr"`. Nothing where there was nothing. */
static void format_histogram(struct lp_histogram *h, const char *metric, const char *labels, struct lp_str *out) {
    const char *comma = *labels ? "," : "";
    char all[200] = "";
    unsigned long long sum = 0;
    if (*labels)
        snprintf(all, sizeof all, "{%s}", labels);
    for (int b = 0; b < LP_METRIC_BUCKETS; b++)
        sum += atomic_load(&h->bucket[b]);
    if (!sum)
        return;
    sum = 0;
    for (int b = 0; b < LP_METRIC_BUCKETS; b++) {
        char bound[24] = "+Inf";
        if (b < LP_METRIC_BUCKETS - 1)
            snprintf(bound, sizeof bound, "%g", bounds[b]);
        sum += atomic_load(&h->bucket[b]);
        lp_str_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", metric, labels, comma, bound, sum);
    }
    lp_str_printf(out, "%s_sum%s %.6f\n%s_count%s %llu\n", metric, all, (double)atomic_load(&h->microseconds) / 1e6, metric,
                  all, sum);
}

static void format_seconds(struct lp_metrics *m, const char *const *method, const char *const *name, int n,
                           struct lp_str *out) {
    static const char metric[] = "llava_plus_request_seconds";
    char labels[150];
    format_head(out, metric, "histogram", "From a request's head to the end of its answer.");
    for (int r = 0; r < n; r++) {
        snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"", method[r], name[r]);
        format_histogram(&m->seconds[r], metric, labels, out);
    }
}

static void format_skills(struct lp_metrics *m, struct lp_str *out) {
    static const char calls[] = "llava_plus_skill_calls_total", seconds[] = "llava_plus_skill_seconds";
    char labels[60];
    format_head(out, calls, "counter", "Calls of skills by how they ended.");
    for (int i = 0; i < LP_SKILL_COUNT; i++)
        for (int e = 0; e < LP_SKILL_ENDS; e++) {
            unsigned long long count = atomic_load(&m->calls[i][e]);
            if (count)
                lp_str_printf(out, "%s{skill=\"%s\",status=\"%s\"} %llu\n", calls, lp_skills[i]->name, lp_skill_ends[e], count);
        }
    format_head(out, seconds, "histogram", "From a skill's call to its result.");
    for (int i = 0; i < LP_SKILL_COUNT; i++) {
        snprintf(labels, sizeof labels, "skill=\"%s\"", lp_skills[i]->name);
        format_histogram(&m->skill[i], seconds, labels, out);
    }
}

static void format_counter(struct lp_str *out, const char *name, const char *help,
                           atomic_uint_fast64_t *value) {
    format_head(out, name, "counter", help);
    lp_str_printf(out, "%s %llu\n", name, (unsigned long long)atomic_load(value));
}

static void format_planner(struct lp_metrics *m, struct lp_str *out) {
    static const char encode[] = "llava_plus_picture_encode_seconds";
    format_skills(m, out);
    format_head(out, encode, "histogram", "Until the planner saw a picture; those it remembered, too.");
    format_histogram(&m->encode, encode, "", out);
    format_counter(out, "llava_plus_prompt_tokens_total", "Positions that the planner read for answers.",
                   &m->prompt_tokens);
    format_counter(out, "llava_plus_completion_tokens_total", "Tokens of answers.", &m->completion_tokens);
    format_counter(out, "llava_plus_plan_failures_total", "Requests for which the planner made no plan, or no legal one.",
                   &m->plan_failures);
    format_counter(out, "llava_plus_canceled_total", "Turns that ended because the client went away.",
                   &m->canceled);
}

void lp_metrics_format(struct lp_metrics *m, const char *const *method, const char *const *name, int n, bool planner,
                       struct lp_str *out) {
    format_requests(m, method, name, n, out);
    format_seconds(m, method, name, n, out);
    if (planner)
        format_planner(m, out);
}
