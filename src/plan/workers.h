/* SPDX-License-Identifier: MIT */
/* Skills at workers: those that a controller of the original's kind knows are called there. docs/workers.md. */
#ifndef LP_PLAN_WORKERS_H
#define LP_PLAN_WORKERS_H

#include "base/reach.h"
#include "skill/skill.h"

struct lp_workers_settings {
    const char *controller;       /* its base address, which the user gave; borrowed */
    const char *key;              /* shown to it and to workers; NULL: none; borrowed */
    const struct lp_reach *reach; /* which machines' workers are called; borrowed */
    bool in_clear;                /* the key may travel over http to other machines */
    double wait_s;                /* most time for a skill */
    size_t limit;                 /* most bytes of what it gives */
};
/* Five minutes, 64 MiB; without a controller. */
void lp_workers_defaults(struct lp_workers_settings *s);

struct lp_workers;

/* Asks the controller for its list once. Owned by caller; NULL: LP_EUSAGE for an address that is none, LP_EIO where no
 * controller answers, LP_EMEMORY. */
struct lp_workers *lp_workers_open(const struct lp_workers_settings *s, struct lp_error *err);
void lp_workers_close(struct lp_workers *w); /* NULL is fine */

/* For lp_agent.play, by one thread at a time. A skill that no worker has, or whose controller is out of reach, is this machine's
 * own. */
struct lp_play lp_workers_play(struct lp_workers *w);

#endif
