/* SPDX-License-Identifier: MIT */
/* serve/route_metrics.c - GET /metrics, for Prometheus. */
#include "base/memory.h"
#include "base/store.h"
#include "serve/routes.h"

static void add_gauge(struct lp_str *out, const char *name, const char *help, int64_t value) {
    lp_str_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name, (long long)value);
}

static void add_memory(struct lp_str *out, const struct lp_server *s) {
    struct lp_memory_use use = lp_memory_use();
    struct lp_store *cache = s->seat.agent ? s->seat.agent->talk.lmm->store : NULL;
    add_gauge(out, "llava_plus_resident_bytes", "Memory in use, mapped files too.", (int64_t)use.resident);
    add_gauge(out, "llava_plus_heap_bytes", "Of it, what was asked of malloc.", (int64_t)use.heap);
    add_gauge(out, "llava_plus_heap_free_bytes", "What malloc keeps for later.", (int64_t)use.heap_free);
    if (cache)
        add_gauge(out, "llava_plus_cache_bytes", "What the planner saw and read, kept in memory.",
                  (int64_t)lp_store_memory(cache));
}

static void add_state(struct lp_str *out, struct lp_state *state) {
    struct lp_state_counts kept = lp_state_counts(state);
    struct lp_state_memory memory = lp_state_memory(state);
    add_gauge(out, "llava_plus_sessions", "Sessions that are kept.", kept.sessions);
    add_gauge(out, "llava_plus_objects", "Objects of all sessions.", kept.objects);
    add_gauge(out, "llava_plus_state_bytes", "Bytes of the pictures that are kept.", kept.bytes);
    add_gauge(out, "llava_plus_database_memory_bytes", "Memory of the database.", memory.database);
    add_gauge(out, "llava_plus_pixels_bytes", "Pictures that are kept decoded.", memory.pixels);
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
    lp_metrics_format(&x->server->metrics, method, name, n + 1, site->model != NULL, &out);
    add_gauge(&out, "llava_plus_queue_depth", "Requests that wait.", waiting);
    add_gauge(&out, site->model ? "llava_plus_planner_busy" : "llava_plus_working", "Requests that are worked on.", working);
    add_gauge(&out, "llava_plus_requests_open", "Requests without their whole answer, this one too.",
              atomic_load(&x->server->open));
    add_memory(&out, x->server);
    if (x->server->state)
        add_state(&out, x->server->state);
    if (out.failed)
        lp_answer_json(x, 503, NULL);
    else
        lp_answer_text(x, 200, "text/plain; version=0.0.4; charset=utf-8", lp_str_text(&out));
    lp_str_done(&out);
}
