/* SPDX-License-Identifier: MIT */
/* serve/route_metrics.c - GET /metrics, for Prometheus. */
#include "serve/routes.h"

static void add_gauge(struct lp_str *out, const char *name, const char *help, int64_t value) {
    lp_str_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name, (long long)value);
}

void lp_route_metrics(struct lp_exchange *x) {
    const char *name[LP_METRIC_ROUTES], *method[LP_METRIC_ROUTES];
    const struct lp_site *site = &x->server->site;
    int n = site->routes, waiting, working;
    struct lp_str out = {0};
    for (int i = 0; i < n; i++) {
        name[i] = site->route[i].path;
        method[i] = site->route[i].method;
    }
    name[n] = "other";
    method[n] = "";
    lp_desk_state(&x->server->desk, &waiting, &working);
    lp_metrics_format(&x->server->metrics, method, name, n + 1, &out);
    add_gauge(&out, "llava_plus_queue_depth", "Requests that wait.", waiting);
    add_gauge(&out, site->model ? "llava_plus_planner_busy" : "llava_plus_working", "Requests that are worked on.", working);
    add_gauge(&out, "llava_plus_requests_open", "Requests without their whole answer, this one too.",
              atomic_load(&x->server->open));
    if (x->server->state) {
        struct lp_state_counts kept = lp_state_counts(x->server->state);
        add_gauge(&out, "llava_plus_sessions", "Sessions that are kept.", kept.sessions);
        add_gauge(&out, "llava_plus_objects", "Objects of all sessions.", kept.objects);
        add_gauge(&out, "llava_plus_state_bytes", "Bytes of the pictures that are kept.", kept.bytes);
    }
    if (out.failed)
        lp_answer_json(x, 503, NULL);
    else
        lp_answer_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", lp_str_text(&out));
    lp_str_done(&out);
}
