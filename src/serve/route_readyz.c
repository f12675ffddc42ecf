/* SPDX-License-Identifier: MIT */
/* serve/route_readyz.c - GET /readyz: whether a request would be taken now. What the server works with is open
 * before it is. */
#include "serve/routes.h"

void lp_route_readyz(struct lp_exchange *x) {
    int waiting, working;
    lp_desk_state(&x->server->desk, &waiting, &working);
    if (atomic_load(&x->server->stopping))
        lp_answer_text(x, 503, "text/plain", "stopping\n");
    else if (working == x->server->site.threads && waiting >= x->server->settings.most_waiting)
        lp_answer_text(x, 503, "text/plain", "busy\n");
    else
        lp_answer_text(x, 200, "text/plain", "ok\n");
}
