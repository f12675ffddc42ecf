/* SPDX-License-Identifier: MIT */
/* serve/route_controller.c - the routes of a controller, as FastChat's and LLaVA's are. What may wait for a worker is
 * done at the desk. */
#include "base/clock.h"
#include "base/memory.h"
#include "serve/fields.h"
#include "serve/chat.h"
#include "serve/controller.h"
#include "serve/frame.h"
#include "serve/relay.h"
#include "serve/routes.h"

#include <string.h>

/* The body as an object, owned by caller; NULL: it has its answer. */
static json_t *read_body(struct lp_exchange *x) {
    struct lp_fault fault;
    struct lp_error err = {0};
    json_t *body = lp_body_is_modest(lp_str_text(&x->body), x->body.n)
                       ? lp_json_parse(lp_str_text(&x->body), x->body.n, "the body", &err)
                       : NULL;
    if (json_is_object(body))
        return body;
    if (body || !err.code)
        lp_fault_set(&fault, 400, NULL, NULL, "the body must be a JSON object, and no deep one");
    else
        lp_fault_from(&fault, NULL, &err);
    lp_answer_fault(x, &fault);
    json_decref(body);
    return NULL;
}

static void refuse(struct lp_exchange *x, const char *key, const char *what) {
    struct lp_fault fault;
    lp_fault_set(&fault, 400, key, NULL, "'%s' must be %s", key, what);
    lp_answer_fault(x, &fault);
}

/* A text of the body; NULL: it has its answer. */
static const char *text_of(struct lp_exchange *x, const json_t *body, const char *key) {
    const char *text = json_string_value(json_object_get(body, key));
    if (!text)
        refuse(x, key, "a text");
    return text;
}

/* Answers with a value, which is given away. */
static void answer(struct lp_exchange *x, json_t *value) {
    lp_answer_json(x, 200, value);
    json_decref(value);
}

/* What waits for workers: a registration, or with no body a refreshing of all. */
struct errand {
    struct lp_order order; /* first */
    struct lp_controller *controller;
    json_t *body; /* owned */
};

static void run_errand(struct lp_order *o) {
    struct errand *e = (struct errand *)o;
    struct lp_error err = {0};
    if (!e->body)
        lp_controller_refresh(e->controller);
    else /* whether it went well is for the log: registering is always answered with null */
        lp_controller_register(e->controller, json_string_value(json_object_get(e->body, "worker_name")),
                               json_object_get(e->body, "worker_status"),
                               json_is_true(json_object_get(e->body, "check_heart_beat")),
                               json_is_true(json_object_get(e->body, "multimodal")), &err);
}

static void close_errand(struct lp_order *o) {
    struct errand *e = (struct errand *)o;
    json_decref(e->body);
    lp_free(e);
}

/* Puts an errand in line; takes the body. */
static void send_errand(struct lp_exchange *x, json_t *body) {
    struct lp_fault fault;
    struct errand *e = lp_alloc(sizeof *e);
    if (!e) {
        json_decref(body);
        lp_answer_json(x, 503, NULL);
        return;
    }
    e->controller = x->server->site.self;
    e->body = body;
    lp_order_init(&e->order, run_errand, close_errand);
    x->order = &e->order;
    if (!lp_exchange_order(x, &x->server->desk, &e->order, &fault))
        lp_answer_fault(x, &fault);
}

static void finish_errand(struct lp_exchange *x) {
    if (lp_desk_ready(&x->server->desk, x->order, true))
        lp_answer_text(x, 200, "application/json", "null");
}

static void register_worker(struct lp_exchange *x) {
    json_t *body = read_body(x);
    if (!body)
        return;
    const json_t *check = json_object_get(body, "check_heart_beat");
    if (text_of(x, body, "worker_name") && json_is_boolean(check)) {
        send_errand(x, body);
        return;
    }
    if (!x->status)
        refuse(x, "check_heart_beat", "true or false");
    json_decref(body);
}

static void refresh_all_workers(struct lp_exchange *x) {
    send_errand(x, NULL);
}

static void list(struct lp_exchange *x, int multimodal) {
    answer(x, json_pack("{s:o}", "models", lp_roster_models(lp_controller_roster(x->server->site.self), multimodal)));
}
static void list_models(struct lp_exchange *x) {
    list(x, LP_ROSTER_ALL);
}
static void list_multimodal_models(struct lp_exchange *x) {
    list(x, 1);
}
static void list_language_models(struct lp_exchange *x) {
    list(x, 0);
}

static void get_worker_address(struct lp_exchange *x) {
    char address[LP_ROSTER_LONGEST];
    json_t *body = read_body(x);
    const char *model = body ? text_of(x, body, "model") : NULL;
    if (model) {
        lp_roster_choose(lp_controller_roster(x->server->site.self), model, address);
        answer(x, json_pack("{s:s}", "address", address));
    }
    json_decref(body);
}

static void receive_heart_beat(struct lp_exchange *x) {
    json_t *body = read_body(x);
    const char *name = body ? text_of(x, body, "worker_name") : NULL;
    const json_t *queue = json_object_get(body, "queue_length");
    if (name && (!json_is_integer(queue) || json_integer_value(queue) < 0))
        refuse(x, "queue_length", "a whole number from 0 on");
    else if (name)
        answer(x, json_pack("{s:b}", "exist",
                            lp_roster_beat(lp_controller_roster(x->server->site.self), name, json_integer_value(queue),
                                           lp_clock_ms())));
    json_decref(body);
}

static void worker_get_status(struct lp_exchange *x) {
    answer(x, lp_roster_status(lp_controller_roster(x->server->site.self)));
}

static void worker_generate_stream(struct lp_exchange *x) {
    struct lp_fault fault;
    json_t *body = read_body(x);
    const char *model = body ? text_of(x, body, "model") : NULL;
    struct lp_controller *c = x->server->site.self;
    if (model && !lp_controller_take_place(c)) {
        lp_answer_trouble(x, 429, LP_FRAME_BUSY, "too many streams run already: try again", true);
    } else if (model && !(x->order = lp_relay_new(c, model, lp_str_text(&x->body)))) {
        lp_controller_leave_place(c);
        lp_answer_json(x, 503, NULL);
    } else if (model) {
        lp_str_done(&x->body);
        if (!lp_exchange_order(x, &x->server->desk, x->order, &fault))
            lp_answer_trouble(x, fault.status, LP_FRAME_BUSY, fault.err.text, true);
    }
    json_decref(body);
}

void lp_route_frames_finish(struct lp_exchange *x) {
    if (lp_desk_ready(&x->server->desk, x->order, false))
        lp_answer_stream(x, "application/octet-stream");
}

static void test_connection(struct lp_exchange *x) {
    lp_answer_text(x, 200, "application/json", "\"success\"");
}

static const struct lp_route routes[] = {
    {"GET", "/livez", LP_ROUTE_OPEN, lp_route_livez, NULL},
    {"GET", "/readyz", LP_ROUTE_OPEN, lp_route_readyz, NULL},
    {"GET", "/metrics", 0, lp_route_metrics, NULL},
    {"POST", "/register_worker", LP_ROUTE_PLAIN | LP_ROUTE_WORKER, register_worker, finish_errand},
    {"POST", "/receive_heart_beat", LP_ROUTE_PLAIN | LP_ROUTE_WORKER, receive_heart_beat, NULL},
    {"POST", "/refresh_all_workers", LP_ROUTE_PLAIN, refresh_all_workers, finish_errand},
    {"POST", "/list_models", LP_ROUTE_PLAIN, list_models, NULL},
    {"POST", "/list_multimodal_models", LP_ROUTE_PLAIN, list_multimodal_models, NULL},
    {"POST", "/list_language_models", LP_ROUTE_PLAIN, list_language_models, NULL},
    {"POST", "/get_worker_address", LP_ROUTE_PLAIN, get_worker_address, NULL},
    {"POST", "/worker_generate_stream", LP_ROUTE_PLAIN, worker_generate_stream, lp_route_frames_finish},
    {"POST", "/worker_get_status", LP_ROUTE_PLAIN, worker_get_status, NULL},
    {"GET", "/test_connection", 0, test_connection, NULL},
};

struct lp_site lp_controller_site(struct lp_controller *c) {
    return (struct lp_site){routes, sizeof routes / sizeof *routes, LP_DESK_THREADS, c, NULL};
}
