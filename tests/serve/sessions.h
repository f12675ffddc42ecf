/* SPDX-License-Identifier: MIT */
/* For tests of sessions over real sockets, with a scripted planner and played skills. */
#ifndef LP_TESTS_SERVE_SESSIONS_H
#define LP_TESTS_SERVE_SESSIONS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/session.h"
#include "serve/talk.h"

#define MESSAGES "/messages"

static const char *const cuts[] = {
    TURN("I cut it out.", "[" CALL("sam", "\"points\": [[0.25, 0.5], [0.75, 0.5]]") "]", "I will use sam."),
    TURN("Thanks.", "[]", "It is {mask_1}: {text_1}."), TURN("No need.", "[]", "As I said."), NULL};

static inline void begin(struct service *s, const char *const *script) {
    service_begin(s, script);
    s->agent.play = (struct lp_play){.run = talk_play};
    s->fake.lmm.knows_handles = true;
}

static inline int port_of(const struct service *s) {
    return lp_server_port(s->server);
}

static inline struct answer ask(const struct service *s, const char *session, const char *body) {
    return talk_do(port_of(s), "POST", session, MESSAGES, JSON_TYPE, body);
}

#endif
