/* SPDX-License-Identifier: MIT */
/* serve/fetching.c - base/fetch.c at a desk: the desk's watcher cancels it when the client has gone. */
#include "serve/fetching.h"

#include "base/clock.h"
#include "base/memory.h"

/* Whose server does not give the picture, has given an address that is of no use. */
static bool refuse(struct lp_fetching *f, const struct lp_error *err) {
    if (err->code == LP_EMEMORY || err->code == LP_ECANCELED)
        return lp_fault_from(&f->order.fault, NULL, err);
    return lp_fault_set(&f->order.fault, 400, f->param, "invalid_image_url", "%s", err->text);
}

/* One after the other; the settings' limit and time are for all of them. */
static void work(struct lp_order *o) {
    struct lp_fetching *f = (struct lp_fetching *)o;
    struct lp_fetch_settings left = *f->settings;
    struct lp_error err = {0};
    double until_ms = lp_clock_ms() + (double)left.wait_ms;
    bool done = true;
    for (int i = 0; done && i < f->n; i++) {
        done = lp_fetch(&left, f->url[i].s, &o->cancel, &f->picture[i], &err);
        left.limit -= done ? f->picture[i].n : 0;
        left.wait_ms = (long)(until_ms - lp_clock_ms());
    }
    if (!done)
        refuse(f, &err);
}

static void close_order(struct lp_order *o) {
    struct lp_fetching *f = (struct lp_fetching *)o;
    for (int i = 0; i < f->n; i++) {
        lp_str_done(&f->url[i]);
        lp_str_done(&f->picture[i]);
    }
    lp_free(f);
}

bool lp_fetching_begin(struct lp_exchange *x, const char *const *url, int n, const char *param, struct lp_fault *fault) {
    struct lp_fetching *f = lp_alloc(sizeof *f);
    bool copied = true;
    if (!f)
        return lp_fault_memory(fault);
    lp_order_init(&f->order, work, close_order);
    x->fetching = f;
    f->settings = x->server->settings.pictures;
    f->param = param;
    f->n = n;
    for (int i = 0; i < n; i++) {
        lp_str_puts(&f->url[i], url[i]);
        copied = copied && !f->url[i].failed;
    }
    return copied ? lp_exchange_order(x, &x->server->fetchers, &f->order, fault) : lp_fault_memory(fault);
}

bool lp_fetching_ended(struct lp_exchange *x, struct lp_fault *fault) {
    struct lp_fetching *f = x->fetching;
    if (!lp_desk_ready(&x->server->fetchers, &f->order, true))
        return false;
    *fault = f->order.fault;
    for (int i = 0; !fault->status && i < f->n; i++)
        lp_exchange_hold(x, f->picture[i].n, fault);
    return true;
}

struct lp_str lp_fetching_take(struct lp_exchange *x, int i) {
    struct lp_str taken = x->fetching->picture[i];
    x->fetching->picture[i] = (struct lp_str){0};
    return taken;
}

void lp_fetching_end(struct lp_exchange *x) {
    if (x->fetching)
        lp_desk_leave(&x->server->fetchers, &x->fetching->order);
    x->fetching = NULL;
}
