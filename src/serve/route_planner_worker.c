/* SPDX-License-Identifier: MIT */
/* serve/route_planner_worker.c - the routes of a worker with a planner: LLaVA's two, and those of FastChat that its API
 * server asks for. */
#include "base/memory.h"
#include "serve/generation.h"
#include "serve/route_worker.h"

#include <string.h>

/* A generation at the desk. */
struct writing {
    struct lp_order order; /* first */
    struct lp_planner_worker *worker;
    struct lp_generation generation;
    bool stream;
    struct lp_str last; /* of one that is no stream: the last frame, without its NUL */
};

enum { BEHIND = 1 << 20 }; /* bytes that a client may lag before frames are left out: the next one tells the same */

static void take_frame(void *context, const json_t *frame, bool last) {
    struct writing *w = context;
    struct lp_str text = {0};
    if (!last && (!w->stream || lp_order_unread(&w->order) > BEHIND))
        return;
    lp_frame_add_json(&text, frame);
    if (text.failed) {
        atomic_store(&w->order.cancel, true);
        lp_str_done(&text);
    } else if (w->stream) {
        lp_order_write(&w->order, text.s, text.n);
        lp_str_done(&text);
    } else {
        lp_str_done(&w->last);
        w->last = text;
    }
}

static void work(struct lp_order *o) {
    struct writing *w = (struct writing *)o;
    const struct lp_generation_listener listener = {take_frame, w};
    lp_order_begin(o);
    lp_generation_run(&w->generation, w->worker, &o->cancel, &listener);
    lp_heart_hurry(w->worker->worker.heart);
    if (!w->stream && !w->last.n)
        lp_fault_set(&o->fault, atomic_load(&o->cancel) ? LP_GONE : 503, NULL, NULL, "out of memory");
}

static void close_order(struct lp_order *o) {
    struct writing *w = (struct writing *)o;
    lp_generation_done(&w->generation);
    lp_str_done(&w->last);
    lp_free(w);
}

static void generate(struct lp_exchange *x, bool stream) {
    struct lp_error err = {0};
    json_t *body = lp_route_worker_body(x, stream);
    struct writing *w = body ? lp_alloc(sizeof *w) : NULL;
    if (!w) {
        if (body)
            lp_answer_json(x, 503, NULL);
        json_decref(body);
        return;
    }
    lp_order_init(&w->order, work, close_order);
    w->worker = x->server->site.self;
    w->stream = w->order.pulses = stream;
    x->order = &w->order;
    if (lp_generation_read(&w->generation, body, &err))
        lp_route_worker_order(x, stream);
    else
        lp_answer_trouble(x, 200, LP_FRAME_WORKER_FAILED, err.text, stream);
}

static void worker_generate_stream(struct lp_exchange *x) {
    generate(x, true);
}
static void worker_generate(struct lp_exchange *x) {
    generate(x, false);
}

static void worker_generate_finish(struct lp_exchange *x) {
    struct writing *w = (struct writing *)x->order;
    if (!lp_desk_ready(&x->server->desk, x->order, true))
        return;
    if (lp_desk_failed(&x->server->desk, x->order))
        lp_answer_trouble(x, w->order.fault.status, LP_FRAME_MEMORY, w->order.fault.err.text, false);
    else
        lp_answer_text(x, 200, "application/json", w->last.s);
}

static void count_token(struct lp_exchange *x) {
    json_t *body = lp_route_worker_body(x, false);
    const char *prompt = json_string_value(json_object_get(body, "prompt"));
    int64_t n = prompt ? lp_generation_count(x->server->site.self, prompt) : 0;
    json_t *answer = n >= 0 ? json_pack("{s:I, s:i}", "count", (json_int_t)n, "error_code", LP_FRAME_GOOD) : NULL;
    if (body && !prompt)
        lp_answer_trouble(x, 200, LP_FRAME_WORKER_FAILED, "'prompt' is missing", false);
    else if (body)
        lp_answer_json(x, 200, answer);
    json_decref(answer);
    json_decref(body);
}

static void model_details(struct lp_exchange *x) {
    const struct lp_planner_worker *w = x->server->site.self;
    json_t *answer = json_pack("{s:I}", "context_length", (json_int_t)w->lmm->context);
    lp_answer_json(x, 200, answer);
    json_decref(answer);
}

/* FastChat's numbers for how prompts are put together. */
static int style_number(enum lp_template_style style) {
    static const int numbers[] = {[LP_TEMPLATE_SINGLE] = 1,
                                  [LP_TEMPLATE_TWO] = 2,
                                  [LP_TEMPLATE_MPT] = 9,
                                  [LP_TEMPLATE_PLAIN] = 4,
                                  [LP_TEMPLATE_LLAMA_2] = 7};
    return numbers[style];
}

static void worker_get_conv_template(struct lp_exchange *x) {
    const struct lp_planner_worker *w = x->server->site.self;
    const struct lp_template *t = w->lmm->template ? w->lmm->template : lp_template_for_model(w->lmm->name);
    struct lp_template_parts p = lp_template_parts(t);
    const char *stop = lp_template_stop(t);
    json_t *answer = json_pack(
        "{s:{s:s, s:s, s:s, s:[s,s], s:[], s:i, s:i, s:s, s:s?, s:s?, s:n}}", "conv", "name", p.key, "system_template",
        "{system_message}", "system_message", p.system, "roles", p.role[0], p.role[1], "messages", "offset", 0, "sep_style",
        style_number(p.style), "sep", p.sep[0], "sep2", *p.sep[1] ? p.sep[1] : NULL, "stop_str", *stop ? stop : NULL,
        "stop_token_ids");
    lp_answer_json(x, 200, answer);
    json_decref(answer);
}

static const struct lp_route routes[] = {
    {"GET", "/livez", LP_ROUTE_OPEN, lp_route_livez, NULL},
    {"GET", "/readyz", LP_ROUTE_OPEN, lp_route_readyz, NULL},
    {"GET", "/metrics", 0, lp_route_metrics, NULL},
    {"POST", "/worker_generate_stream", LP_ROUTE_PLAIN, worker_generate_stream, lp_route_frames_finish},
    {"POST", "/worker_generate", LP_ROUTE_PLAIN, worker_generate, worker_generate_finish},
    {"POST", "/worker_get_status", LP_ROUTE_PLAIN, lp_route_worker_status, NULL},
    {"POST", "/count_token", LP_ROUTE_PLAIN, count_token, NULL},
    {"POST", "/model_details", LP_ROUTE_PLAIN, model_details, NULL},
    {"POST", "/worker_get_conv_template", LP_ROUTE_PLAIN, worker_get_conv_template, NULL},
};

bool lp_planner_worker_init(struct lp_planner_worker *w, struct lp_lmm *lmm, const char *names, struct lp_error *err) {
    const char *const usual[] = {lmm->name, NULL};
    *w = (struct lp_planner_worker){.worker.multimodal = true, .lmm = lmm};
    return lp_worker_names(&w->worker, names, usual, err) && lp_decoder_init(&w->decoder, lmm, err);
}

void lp_planner_worker_done(struct lp_planner_worker *w) {
    lp_decoder_done(&w->decoder);
    json_decref(w->worker.names);
    *w = (struct lp_planner_worker){0};
}

struct lp_site lp_planner_worker_site(struct lp_planner_worker *w) {
    return (struct lp_site){routes, sizeof routes / sizeof *routes, 1, w, NULL};
}
