/* SPDX-License-Identifier: MIT */
/* serve/route_skill_worker.c - the routes of a worker with a skill: the original's tool workers. */
#include "base/memory.h"
#include "serve/route_worker.h"
#include "skill/wire.h"

#include <string.h>

/* A call at the desk. */
struct job {
    struct lp_order order; /* first */
    struct lp_skill_worker *worker;
    json_t *request;  /* owned */
    json_t *response; /* owned */
};

static int code_of(const struct lp_error *err) {
    return err->code == LP_EMEMORY ? LP_FRAME_MEMORY : err->code == LP_EINPUT ? LP_FRAME_BAD_REQUEST : LP_FRAME_INTERNAL;
}

static json_t *trouble(const struct lp_error *err) {
    struct lp_str text = {0};
    lp_str_printf(&text, LP_FRAME_TROUBLE "\n\n(%s)", err->text);
    json_t *response = json_pack("{s:s, s:i}", "text", lp_str_text(&text), "error_code", code_of(err));
    lp_str_done(&text);
    return response;
}

static void work(struct lp_order *o) {
    struct job *j = (struct job *)o;
    struct lp_error err = {0};
    j->response = lp_wire_serve(j->worker->skill, j->request, j->worker->bench, &o->cancel, &err);
    if (!j->response && err.code == LP_ECANCELED)
        lp_fault_from(&o->fault, NULL, &err);
    else if (!j->response)
        j->response = trouble(&err);
    lp_heart_hurry(j->worker->worker.heart);
}

static void close_order(struct lp_order *o) {
    struct job *j = (struct job *)o;
    json_decref(j->request);
    json_decref(j->response);
    lp_free(j);
}

static void worker_generate(struct lp_exchange *x) {
    json_t *request = lp_route_worker_body(x, false);
    struct job *j = request ? lp_alloc(sizeof *j) : NULL;
    if (!j) {
        if (request)
            lp_answer_json(x, 503, NULL);
        json_decref(request);
        return;
    }
    lp_order_init(&j->order, work, close_order);
    j->worker = x->server->site.self;
    j->request = request;
    x->order = &j->order;
    lp_route_worker_order(x, false);
}

static void worker_generate_finish(struct lp_exchange *x) {
    const struct job *j = (struct job *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, true))
        return;
    if (lp_desk_failed(&x->server->desk, x->order))
        lp_answer_fault(x, &x->order->fault);
    else
        lp_answer_json(x, 200, j->response);
}

static const struct lp_route routes[] = {
    {"GET", "/livez", LP_ROUTE_OPEN, lp_route_livez, NULL},
    {"GET", "/readyz", LP_ROUTE_OPEN, lp_route_readyz, NULL},
    {"GET", "/metrics", 0, lp_route_metrics, NULL},
    {"POST", "/worker_generate", LP_ROUTE_PLAIN, worker_generate, worker_generate_finish},
    {"POST", "/worker_get_status", LP_ROUTE_PLAIN, lp_route_worker_status, NULL},
};

bool lp_skill_worker_init(struct lp_skill_worker *w, const struct lp_skill *skill, const char *names, struct lp_error *err) {
    const char *usual[LP_WIRE_NAMES + 1];
    *w = (struct lp_skill_worker){.skill = skill};
    lp_wire_names(skill, usual);
    return lp_skill_ready(skill, err) && lp_worker_names(&w->worker, names, usual, err) &&
           (w->bench = lp_bench_open(err)) != NULL;
}

void lp_skill_worker_done(struct lp_skill_worker *w) {
    lp_bench_close(w->bench);
    json_decref(w->worker.names);
    *w = (struct lp_skill_worker){0};
}

struct lp_site lp_skill_worker_site(struct lp_skill_worker *w) {
    return (struct lp_site){routes, sizeof routes / sizeof *routes, 1, w, NULL};
}
