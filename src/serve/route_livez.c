/* SPDX-License-Identifier: MIT */
/* serve/route_livez.c - GET /livez: whether the process answers at all. */
#include "serve/routes.h"

void lp_route_livez(struct lp_exchange *x) {
    lp_answer_text(x, 200, "text/plain", "ok\n");
}
