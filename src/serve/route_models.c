/* SPDX-License-Identifier: MIT */
/* serve/route_models.c - GET /v1/models and /v1/models/NAME: the one planner. */
#include "serve/routes.h"

#include <string.h>

static json_t *model(const struct lp_server *s) {
    return json_pack("{s:s, s:s, s:I, s:s}", "id", s->site.model, "object", "model", "created",
                     (json_int_t)s->began, "owned_by", "llava-plus");
}

void lp_route_models(struct lp_exchange *x) {
    json_t *list = json_pack("{s:s, s:[o]}", "object", "list", "data", model(x->server));
    lp_answer_json(x, 200, list);
    json_decref(list);
}

void lp_route_model(struct lp_exchange *x) {
    struct lp_fault fault;
    if (strcmp(x->path + strlen(x->route->path), x->server->site.model)) {
        lp_fault_set(&fault, 404, "model", "model_not_found", "there is no such model here; see /v1/models");
        lp_answer_fault(x, &fault);
        return;
    }
    json_t *one = model(x->server);
    lp_answer_json(x, 200, one);
    json_decref(one);
}
