/* SPDX-License-Identifier: MIT */
/* serve/route_metrics.c - GET /metrics, for Prometheus. */
#include "serve/routes.h"

static void add_gauge(struct lp_str *out, const char *name, const char *help, int value) {
    lp_str_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %d\n", name, help, name, name, value);
}

void lp_route_metrics(struct lp_exchange *x) {
    const char *name[LP_METRIC_ROUTES];
    const struct lp_site *site = &x->server->site;
    int n = site->routes, waiting, working;
    struct lp_str out = {0};
    for (int i = 0; i < n; i++)
        name[i] = site->route[i].path;
    name[n] = "other";
    lp_desk_state(&x->server->desk, &waiting, &working);
    lp_metrics_format(&x->server->metrics, name, n + 1, &out);
    add_gauge(&out, "llava_plus_queue_depth", "Requests that wait.", waiting);
    add_gauge(&out, site->model ? "llava_plus_planner_busy" : "llava_plus_working", "Requests that are worked on.", working);
    add_gauge(&out, "llava_plus_requests_open", "Requests without their whole answer, this one too.",
              atomic_load(&x->server->open));
    if (out.failed)
        lp_answer_json(x, 503, NULL);
    else
        lp_answer_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", lp_str_text(&out));
    lp_str_done(&out);
}
