/* SPDX-License-Identifier: MIT */
/* serve/routes.c - the table of routes. */
#include "serve/routes.h"

const struct lp_route lp_routes[] = {
    {"GET", "/livez", LP_ROUTE_OPEN, lp_route_livez, NULL},
    {"GET", "/readyz", LP_ROUTE_OPEN, lp_route_readyz, NULL},
    {"GET", "/metrics", 0, lp_route_metrics, NULL},
    {"GET", "/v1/models", 0, lp_route_models, NULL},
    {"GET", "/v1/models/", 0, lp_route_model, NULL},
    {"POST", "/v1/chat/completions", 0, lp_route_chat_completions, lp_route_chat_completions_finish},
};

int lp_routes_count(void) {
    return sizeof lp_routes / sizeof *lp_routes;
}
