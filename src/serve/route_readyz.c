/* SPDX-License-Identifier: MIT */
/* serve/route_readyz.c - GET /readyz: whether a request would be taken now. The planner is open before the
 * server is. */
#include "serve/routes.h"

void lp_route_readyz(struct lp_exchange *x) {
    int waiting;
    bool busy;
    lp_desk_state(&x->server->desk, &waiting, &busy);
    if (atomic_load(&x->server->stopping))
        lp_answer_text(x, 503, "text/plain", "stopping\n");
    else if (busy && waiting >= x->server->settings.most_waiting)
        lp_answer_text(x, 503, "text/plain", "busy\n");
    else
        lp_answer_text(x, 200, "text/plain", "ok\n");
}
