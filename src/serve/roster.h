/* SPDX-License-Identifier: MIT */
/* The workers that a controller knows: who they are, how busy, when they were last heard. No sockets here. */
#ifndef LP_SERVE_ROSTER_H
#define LP_SERVE_ROSTER_H

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

#include <pthread.h>

enum { LP_ROSTER_WORKERS = 256, LP_ROSTER_NAMES = 64, LP_ROSTER_LONGEST = 512 };

enum lp_dispatch {
    LP_SHORTEST_QUEUE, /* the least queue for its speed; the earliest registered of equal ones */
    LP_LOTTERY         /* at random, by speed */
};
/* "shortest_queue" or "lottery"; LP_EUSAGE. */
bool lp_dispatch_parse(const char *name, enum lp_dispatch *dispatch, struct lp_error *err);

struct lp_roster_entry {
    char name[LP_ROSTER_LONGEST]; /* the worker's base address */
    json_t *models;               /* names; owned */
    double speed;
    int64_t queue;
    bool check_heart_beat, multimodal;
    double heard_ms;
};

/* From any thread. */
struct lp_roster {
    pthread_mutex_t lock;
    enum lp_dispatch dispatch;
    struct lp_rng rng;
    struct lp_roster_entry entry[LP_ROSTER_WORKERS]; /* in order of first registration */
    int n;
};
void lp_roster_init(struct lp_roster *r, enum lp_dispatch dispatch, uint64_t seed);
void lp_roster_done(struct lp_roster *r);

/* {"model_names": [..], "speed": number, "queue_length": n}; LP_EINPUT with what is wrong. */
bool lp_roster_check(const json_t *status, struct lp_error *err);
/* Adds a worker, or puts a known one's new state in the place of the old. `status` has been checked. */
bool lp_roster_put(struct lp_roster *r, const char *name, const json_t *status, bool check_heart_beat, bool multimodal,
                   double now_ms, struct lp_error *err);
/* What a known worker says of itself when it is asked; false: it is not known (any more). */
bool lp_roster_update(struct lp_roster *r, const char *name, const json_t *status, double now_ms);
/* Whether it is known; then it has been heard now. */
bool lp_roster_beat(struct lp_roster *r, const char *name, int64_t queue, double now_ms);
/* Whether it is to be checked for heart beats and was heard within that time. */
bool lp_roster_is_fresh(struct lp_roster *r, const char *name, double silence_ms, double now_ms);
void lp_roster_remove(struct lp_roster *r, const char *name);
/* Forgets those to be checked that were not heard for so long. Returns how many. */
int lp_roster_expire(struct lp_roster *r, double silence_ms, double now_ms);

/* The address of a worker for the model, by the dispatch; "" when there is none. */
void lp_roster_choose(struct lp_roster *r, const char *model, char address[LP_ROSTER_LONGEST]);

/* Names without repeats, in order of registration: all, or those of workers that are multimodal (1) or not (0). NULL when
 * out of memory; owned by caller, as what follows. */
json_t *lp_roster_models(struct lp_roster *r, int multimodal);
enum { LP_ROSTER_ALL = -1 };
/* All workers as if they were one: the same object that a worker tells. */
json_t *lp_roster_status(struct lp_roster *r);
/* Addresses. */
json_t *lp_roster_names(struct lp_roster *r);

#endif
