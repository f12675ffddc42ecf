/* SPDX-License-Identifier: MIT */
/* serve/routes.c - the table of routes. */
#include "serve/routes.h"

const struct lp_route lp_routes[] = {
    {"GET", "/", true, lp_route_page, NULL, false},
    {"GET", "/page/*", true, lp_route_page_file, NULL, false},
    {"GET", "/livez", true, lp_route_livez, NULL, false},
    {"GET", "/readyz", true, lp_route_readyz, NULL, false},
    {"GET", "/metrics", false, lp_route_metrics, NULL, false},
    {"GET", "/v1/models", false, lp_route_models, NULL, false},
    {"GET", "/v1/models/", false, lp_route_model, NULL, false},
    {"POST", "/v1/chat/completions", false, lp_route_chat_completions, lp_route_chat_completions_finish, false},
    {"POST", "/v1/sessions", false, lp_route_session_create, lp_errand_finish, false},
    {"GET", "/v1/sessions", false, lp_route_session_list, lp_errand_finish, false},
    {"GET", "/v1/sessions/*", false, lp_route_session_get, lp_errand_finish, false},
    {"DELETE", "/v1/sessions/*", false, lp_route_session_delete, lp_errand_finish, false},
    {"POST", "/v1/sessions/*/cancel", false, lp_route_session_cancel, lp_errand_finish, false},
    {"POST", "/v1/sessions/*/images", false, lp_route_session_images, lp_errand_finish, true},
    {"POST", "/v1/sessions/*/messages", false, lp_route_session_messages, lp_route_session_messages_finish, false},
    {"POST", "/v1/sessions/*/turns/*/vote", false, lp_route_session_vote, lp_errand_finish, false},
    {"GET", "/v1/sessions/*/objects/*", false, lp_route_session_object, lp_errand_finish, false},
};

int lp_routes_count(void) {
    return sizeof lp_routes / sizeof *lp_routes;
}
