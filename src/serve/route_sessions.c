/* SPDX-License-Identifier: MIT */
/* serve/route_sessions.c - /v1/sessions: made, listed, told, deleted, and their turns stopped and judged. */
#include "serve/fields.h"
#include "serve/routes.h"

#include <stdlib.h>

/* A session's id from the path, and whose it must be. */
static struct lp_hash owner_and_id(const struct lp_exchange *x, char id[LP_SESSION_ID]) {
    lp_exchange_part(x, 0, id, LP_SESSION_ID);
    return lp_guard_owner(x);
}

static void create(struct lp_exchange *x) {
    const struct lp_hash owner = lp_guard_owner(x);
    char id[LP_SESSION_ID];
    x->errand.status = 201;
    if (lp_state_create(x->server->state, &owner, id, &x->errand.fault))
        x->errand.value = lp_state_session(x->server->state, &owner, id, &x->errand.fault);
}

void lp_route_session_create(struct lp_exchange *x) {
    lp_errand_send(x, create);
}

static void list(struct lp_exchange *x) {
    const struct lp_hash owner = lp_guard_owner(x);
    x->errand.status = 200;
    x->errand.value = lp_state_list(x->server->state, &owner, &x->errand.fault);
}

/* Without a key nobody is told from anybody else, and who knows an id may use it. */
void lp_route_session_list(struct lp_exchange *x) {
    struct lp_fault fault;
    if (x->server->settings.key) {
        lp_errand_send(x, list);
        return;
    }
    lp_fault_set(&fault, 403, NULL, "no_key",
                 "sessions are listed for the owner of a key only, and this server has none (LLAVA_PLUS_API_KEY)");
    lp_answer_fault(x, &fault);
}

static void get(struct lp_exchange *x) {
    char id[LP_SESSION_ID];
    const struct lp_hash owner = owner_and_id(x, id);
    x->errand.status = 200;
    x->errand.value = lp_state_session(x->server->state, &owner, id, &x->errand.fault);
}

void lp_route_session_get(struct lp_exchange *x) {
    lp_errand_send(x, get);
}

static void delete(struct lp_exchange *x) {
    char id[LP_SESSION_ID];
    const struct lp_hash owner = owner_and_id(x, id);
    x->errand.status = 204;
    if (lp_state_delete(x->server->state, &owner, id, &x->errand.fault))
        lp_desk_cancel(&x->server->desk, id);
}

void lp_route_session_delete(struct lp_exchange *x) {
    lp_errand_send(x, delete);
}

static void cancel(struct lp_exchange *x) {
    char id[LP_SESSION_ID];
    const struct lp_hash owner = owner_and_id(x, id);
    x->errand.status = 200;
    if (lp_state_has(x->server->state, &owner, id, &x->errand.fault))
        x->errand.value = json_pack("{s:b}", "canceled", lp_desk_cancel(&x->server->desk, id));
}

void lp_route_session_cancel(struct lp_exchange *x) {
    lp_errand_send(x, cancel);
}

static void vote(struct lp_exchange *x) {
    char id[LP_SESSION_ID], turn[8];
    const struct lp_hash owner = owner_and_id(x, id);
    struct lp_fault *fault = &x->errand.fault;
    int64_t vote = 2;
    json_t *body = lp_take_body(lp_str_text(&x->body), x->body.n, fault);
    lp_exchange_part(x, 1, turn, sizeof turn);
    x->errand.status = 200;
    if (body && lp_take_integer(body, "vote", -1, 1, &vote, fault) &&
        (vote != 2 || lp_bad(fault, "vote", "'vote' must be 1, 0 or -1")) &&
        lp_state_vote(x->server->state, &owner, id, atoi(turn), (int)vote, fault))
        x->errand.value = json_pack("{s:I}", "vote", (json_int_t)vote);
    json_decref(body);
}

void lp_route_session_vote(struct lp_exchange *x) {
    lp_errand_send(x, vote);
}
