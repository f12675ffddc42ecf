/* SPDX-License-Identifier: MIT */
/* What the routes of both kinds of workers share. */
#ifndef LP_SERVE_ROUTE_WORKER_H
#define LP_SERVE_ROUTE_WORKER_H

#include "serve/frame.h"
#include "serve/heart.h"
#include "serve/routes.h"

/* `frame`: whether what is refused is refused in a frame, or as JSON. The body as an object, owned by caller; NULL: it has its answer. */
json_t *lp_route_worker_body(struct lp_exchange *x, bool frame);
/* Puts x->order in line, or answers that there is no room. */
void lp_route_worker_order(struct lp_exchange *x, bool frame);
void lp_route_worker_status(struct lp_exchange *x);

#endif
