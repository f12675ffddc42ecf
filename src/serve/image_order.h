/* SPDX-License-Identifier: MIT */
/* Pictures that a skill makes for OpenAI's clients, at the planner's desk: its skills are played there. */
#ifndef LP_SERVE_IMAGE_ORDER_H
#define LP_SERVE_IMAGE_ORDER_H

#include "serve/exchange.h"

enum { LP_IMAGE_ORDER_MOST = 4 }; /* pictures of a request */

struct lp_image_order {
    struct lp_order order; /* first */
    struct lp_seat *seat;  /* borrowed */
    const struct lp_skill *skill;
    json_t *params;            /* the skill's; owned */
    struct lp_str image, mask; /* files of what to work on; empty: none */
    int64_t n;                 /* how many pictures */
    int width, height;         /* px that they must have; 0: any */
    json_t *data;              /* [{"b64_json"}], once done; owned */
};

/* Held by the caller; NULL when out of memory. */
struct lp_image_order *lp_image_order_new(struct lp_seat *seat);

/* Reads what is asked of the skill, an object with OpenAI's keys, but for the files, which must be there. */
bool lp_image_order_read(struct lp_image_order *o, const char *skill, const json_t *asked, struct lp_fault *fault);

/* The second function of the routes. */
void lp_image_order_finish(struct lp_exchange *x);

#endif
