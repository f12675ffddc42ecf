/* SPDX-License-Identifier: MIT */
/* What the route_*.c files define. Adding one: its file, a declaration here, a line in the table of routes.c.
 */
#ifndef LP_SERVE_ROUTES_H
#define LP_SERVE_ROUTES_H

#include "serve/exchange.h"

void lp_route_livez(struct lp_exchange *x);
void lp_route_readyz(struct lp_exchange *x);
void lp_route_metrics(struct lp_exchange *x);
void lp_route_models(struct lp_exchange *x);
void lp_route_model(struct lp_exchange *x);
void lp_route_chat_completions(struct lp_exchange *x);
void lp_route_chat_completions_finish(struct lp_exchange *x);
/* Streams the order's frames once it has begun. */
void lp_route_frames_finish(struct lp_exchange *x);

#endif
