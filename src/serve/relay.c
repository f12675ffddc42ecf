/* SPDX-License-Identifier: MIT */
/* serve/relay.c - from a worker's stream to a client's. The worker is not trusted to send frames, nor to end. */
#include "serve/relay.h"

#include "base/frames.h"
#include "base/http.h"
#include "base/memory.h"
#include "serve/frame.h"

#include <string.h>
#include <time.h>

enum {
    AHEAD = 4 << 20, /* bytes that the client may lag behind before the worker is not read on */
    MOST = 1 << 30   /* bytes of a whole stream */
};

struct relay {
    struct lp_order order; /* first */
    struct lp_controller *controller;
    char *model, *body;
    bool malformed;
};

static bool pass_on(void *context, const char *text, size_t n) {
    struct relay *r = context;
    int code;
    r->malformed = !lp_frame_check(text, n, &code);
    if (r->malformed)
        return false;
    while (lp_order_unread(&r->order) > AHEAD && !atomic_load(&r->order.cancel))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    lp_order_write(&r->order, text, n + 1);
    return true;
}

static bool take(void *context, const char *bytes, size_t n) {
    return lp_frames_feed(context, bytes, n);
}

static void fail(struct relay *r, int code) {
    struct lp_str frame = {0};
    lp_frame_add(&frame, LP_FRAME_TROUBLE, code);
    lp_order_write(&r->order, lp_str_text(&frame), frame.n);
    lp_str_done(&frame);
}

/* A worker that has no room says so in a frame, too. */
static bool pass_refusal(struct relay *r, const struct lp_http_reply *reply) {
    int code;
    size_t n = strlen(reply->body);
    bool frame = n && lp_frame_check(reply->body, n, &code) && code != LP_FRAME_GOOD;
    if (frame)
        lp_order_write(&r->order, reply->body, n + 1);
    return frame;
}

/* Whether the worker's stream came to its end. */
static bool stream(struct relay *r, const char *address) {
    const struct lp_controller_settings *c = lp_controller_settings(r->controller);
    const struct lp_http_settings s = {.url = address,
                                       .key = c->key,
                                       .in_clear = c->in_clear,
                                       .reach = &c->reach,
                                       .limit = MOST,
                                       .wait_ms = (long)(c->silence_s * 1e3)};
    struct lp_frames frames = {.frame = pass_on, .context = r};
    const struct lp_http_listener listener = {.cancel = &r->order.cancel, .piece = take, .context = &frames};
    struct lp_http_reply reply = {0};
    struct lp_http *http = lp_http_open_path(&s, "/worker_generate_stream", NULL);
    bool done = http && lp_http_post(http, r->body, &listener, &reply, NULL) && !r->malformed && !frames.over && !frames.part.n;
    if (done && (reply.status < 200 || reply.status > 299))
        done = pass_refusal(r, &reply);
    lp_frames_done(&frames);
    lp_http_close(http);
    return done;
}

static void work(struct lp_order *o) {
    struct relay *r = (struct relay *)o;
    char address[LP_ROSTER_LONGEST];
    lp_roster_choose(lp_controller_roster(r->controller), r->model, address);
    lp_order_begin(o);
    if (!*address)
        fail(r, LP_FRAME_NO_WORKER);
    else if (!stream(r, address) && !atomic_load(&o->cancel))
        fail(r, LP_FRAME_WORKER_SILENT);
}

static void close_order(struct lp_order *o) {
    struct relay *r = (struct relay *)o;
    lp_controller_leave_place(r->controller);
    lp_free(r->model);
    lp_free(r->body);
    lp_free(r);
}

static char *copy(const char *text) {
    size_t n = strlen(text) + 1;
    char *out = lp_alloc(n);
    return out ? memcpy(out, text, n) : NULL;
}

struct lp_order *lp_relay_new(struct lp_controller *c, const char *model, const char *body) {
    struct relay *r = lp_alloc(sizeof *r);
    if (!r)
        return NULL;
    r->controller = c;
    r->model = copy(model);
    r->body = copy(body);
    r->order.pulses = true;
    lp_order_init(&r->order, work, close_order);
    if (r->model && r->body)
        return &r->order;
    lp_free(r->model);
    lp_free(r->body);
    lp_free(r);
    return NULL;
}
