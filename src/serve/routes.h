/* SPDX-License-Identifier: MIT */
/* What the route_*.c files define. Adding one: its file, a declaration here, a line in the table of routes.c.
 */
#ifndef LP_SERVE_ROUTES_H
#define LP_SERVE_ROUTES_H

#include "serve/exchange.h"

void lp_route_page(struct lp_exchange *x);
void lp_route_page_file(struct lp_exchange *x);
void lp_route_livez(struct lp_exchange *x);
void lp_route_readyz(struct lp_exchange *x);
void lp_route_metrics(struct lp_exchange *x);
void lp_route_models(struct lp_exchange *x);
void lp_route_model(struct lp_exchange *x);
void lp_route_chat_completions(struct lp_exchange *x);
void lp_route_chat_completions_finish(struct lp_exchange *x);
void lp_route_image_generations(struct lp_exchange *x);
void lp_route_image_edits(struct lp_exchange *x);
void lp_route_session_create(struct lp_exchange *x);
void lp_route_session_list(struct lp_exchange *x);
void lp_route_session_get(struct lp_exchange *x);
void lp_route_session_delete(struct lp_exchange *x);
void lp_route_session_cancel(struct lp_exchange *x);
void lp_route_session_vote(struct lp_exchange *x);
void lp_route_session_images(struct lp_exchange *x);
void lp_route_session_images_finish(struct lp_exchange *x);
void lp_route_session_messages(struct lp_exchange *x);
void lp_route_session_messages_finish(struct lp_exchange *x);
void lp_route_session_object(struct lp_exchange *x);
/* Streams the order's frames once it has begun. */
void lp_route_frames_finish(struct lp_exchange *x);

#endif
