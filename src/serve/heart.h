/* SPDX-License-Identifier: MIT */
/* A worker's bond with its controller: registers, tells now and then that it lives, registers again when it was
 * forgotten. */
#ifndef LP_SERVE_HEART_H
#define LP_SERVE_HEART_H

#include "serve/worker.h"

struct lp_heart_settings {
    const char *controller; /* its base address, given by the user */
    const char *address;    /* the worker's own, by which others reach it: its name at the controller */
    const char *key;        /* shown to the controller; NULL: none */
    bool in_clear;          /* also over http to another machine */
    double beat_s, again_s; /* between two beats; after one that failed */
    int log;                /* descriptor for a line when the controller is lost or found; -1: none */
};
/* http://localhost:21001, 15 s, 5 s, no log; without an address. */
void lp_heart_defaults(struct lp_heart_settings *s);

struct lp_heart;
/* Starts a thread that registers, again and again until there is a controller: who starts first does not matter. What the
 * settings point to and the worker are borrowed until close. NULL: LP_EUSAGE for a controller's address that is none, or where
 * the key would travel in clear text; LP_EMEMORY. */
struct lp_heart *lp_heart_open(const struct lp_heart_settings *s, struct lp_worker *worker, struct lp_error *err);
void lp_heart_close(struct lp_heart *h); /* NULL is fine */

/* Lets the next beat come at once: the queue has changed. From any thread; NULL is fine. */
void lp_heart_hurry(struct lp_heart *h);

#endif
