/* SPDX-License-Identifier: MIT */
/* A controller as FastChat and LLaVA have it: workers register, clients ask for a worker of a model.
 * docs/workers.md tells the protocol. */
#ifndef LP_SERVE_CONTROLLER_H
#define LP_SERVE_CONTROLLER_H

#include "base/reach.h"
#include "serve/http.h"
#include "serve/roster.h"

struct lp_controller_settings {
    enum lp_dispatch dispatch;
    double expiry_s;       /* a worker that was not heard for so long is forgotten */
    double silence_s;      /* of a worker in the middle of a stream */
    struct lp_reach reach; /* which machines' workers may register and are dialled */
    const char *key;       /* shown to workers; NULL: none */
    bool in_clear;         /* also over http to other machines */
    int log;               /* descriptor for a line when a worker comes or goes; -1: none */
};
/* Shortest queue, 90 s, 100 s, this machine, no key, no log. */
void lp_controller_defaults(struct lp_controller_settings *s);

struct lp_controller;
/* What the settings point to is borrowed until close. Owned by caller; NULL: LP_EMEMORY. */
struct lp_controller *lp_controller_open(const struct lp_controller_settings *s, struct lp_error *err);
void lp_controller_close(struct lp_controller *c); /* after its server; NULL is fine */
struct lp_site lp_controller_site(struct lp_controller *c);

/* For the routes, from any thread; what may take seconds is said to.
 * Registers a worker. `status` NULL or JSON null: it is asked, which takes up to five seconds, as may looking up its name.
 * LP_EUSAGE for an address beyond reach, LP_EINPUT for a state that makes no sense, LP_EIO when it does not answer. */
bool lp_controller_register(struct lp_controller *c, const char *name, const json_t *status, bool check_heart_beat,
                            bool multimodal, struct lp_error *err);
/* Asks every worker how it is, all at once, up to five seconds. Who does not answer is forgotten, but not one that took the
 * request and whose heart beats are fresh: it is busy. Several who want that at the same time share one round. */
void lp_controller_refresh(struct lp_controller *c);
struct lp_roster *lp_controller_roster(struct lp_controller *c);
const struct lp_controller_settings *lp_controller_settings(const struct lp_controller *c);
/* Takes one of the places for streams, of which the desk has fewer than threads; false: none is left. */
bool lp_controller_take_place(struct lp_controller *c);
void lp_controller_leave_place(struct lp_controller *c);

#endif
