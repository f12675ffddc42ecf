/* SPDX-License-Identifier: MIT */
/* serve/routes.c - the table of routes. */
#include "serve/routes.h"

#include "serve/image_order.h"

const struct lp_route lp_routes[] = {
    {"GET", "/", LP_ROUTE_OPEN, lp_route_page, NULL},
    {"GET", "/page/*", LP_ROUTE_OPEN, lp_route_page_file, NULL},
    {"GET", "/livez", LP_ROUTE_OPEN, lp_route_livez, NULL},
    {"GET", "/readyz", LP_ROUTE_OPEN, lp_route_readyz, NULL},
    {"GET", "/metrics", 0, lp_route_metrics, NULL},
    {"GET", "/v1/models", 0, lp_route_models, NULL},
    {"GET", "/v1/models/", 0, lp_route_model, NULL},
    {"POST", "/v1/chat/completions", 0, lp_route_chat_completions, lp_route_chat_completions_finish},
    {"POST", "/v1/images/generations", 0, lp_route_image_generations, lp_image_order_finish},
    {"POST", "/v1/images/edits", LP_ROUTE_FORM, lp_route_image_edits, lp_image_order_finish},
    {"POST", "/v1/sessions", 0, lp_route_session_create, lp_errand_finish},
    {"GET", "/v1/sessions", 0, lp_route_session_list, lp_errand_finish},
    {"GET", "/v1/sessions/*", 0, lp_route_session_get, lp_errand_finish},
    {"DELETE", "/v1/sessions/*", 0, lp_route_session_delete, lp_errand_finish},
    {"POST", "/v1/sessions/*/cancel", 0, lp_route_session_cancel, lp_errand_finish},
    {"POST", "/v1/sessions/*/images", LP_ROUTE_PICTURES, lp_route_session_images, lp_route_session_images_finish},
    {"POST", "/v1/sessions/*/messages", 0, lp_route_session_messages, lp_route_session_messages_finish},
    {"POST", "/v1/sessions/*/turns/*/vote", 0, lp_route_session_vote, lp_errand_finish},
    {"GET", "/v1/sessions/*/objects/*", 0, lp_route_session_object, lp_errand_finish},
};

int lp_routes_count(void) {
    return sizeof lp_routes / sizeof *lp_routes;
}
