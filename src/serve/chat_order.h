/* SPDX-License-Identifier: MIT */
/* A chat completion at the planner's desk. */
#ifndef LP_SERVE_CHAT_ORDER_H
#define LP_SERVE_CHAT_ORDER_H

#include "serve/chat.h"
#include "serve/seat.h"

struct lp_chat_order {
    struct lp_order order; /* first */
    struct lp_seat *seat;  /* borrowed */
    struct lp_chat chat;
    struct lp_chat_names names;
    char id[48];                    /* "chatcmpl-.." */
    struct lp_chat_outcome outcome; /* once done */
};

/* Held by the caller; NULL when out of memory. */
struct lp_chat_order *lp_chat_order_new(struct lp_seat *seat);

#endif
