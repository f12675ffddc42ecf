/* SPDX-License-Identifier: MIT */
/* serve/worker.c - what planner and skill workers have in common. */
#include "serve/worker.h"

#include "serve/exchange.h"

#include <string.h>

int lp_worker_queue(struct lp_worker *w) {
    int waiting = 0, working = 0;
    if (w->server)
        lp_desk_state(&w->server->desk, &waiting, &working);
    return waiting + working;
}

json_t *lp_worker_status(struct lp_worker *w) {
    return json_pack("{s:O, s:i, s:i}", "model_names", w->names, "speed", 1, "queue_length", lp_worker_queue(w));
}

bool lp_worker_names(struct lp_worker *w, const char *list, const char *const *usual, struct lp_error *err) {
    bool done = (w->names = json_array()) != NULL;
    for (; done && !list && *usual; usual++)
        done = !json_array_append_new(w->names, json_string(*usual));
    for (size_t n; done && list; list = list[n] ? list + n + 1 : NULL) {
        n = strcspn(list, ",");
        if (!n)
            return lp_error_set(err, LP_EUSAGE, "a worker's name must not be empty");
        done = !json_array_append_new(w->names, json_stringn(list, n));
    }
    return done || lp_error_memory(err);
}
