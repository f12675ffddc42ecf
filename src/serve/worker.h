/* SPDX-License-Identifier: MIT */
/* Workers as FastChat and LLaVA have them: one with a planner, which streams what it writes, and one with a skill.
 * docs/workers.md tells the protocol. */
#ifndef LP_SERVE_WORKER_H
#define LP_SERVE_WORKER_H

#include "plan/decode.h"
#include "serve/http.h"
#include "skill/skill.h"

#include <jansson.h>

struct lp_heart;

/* What both have in common: the first member of either. */
struct lp_worker {
    json_t *names; /* by which clients ask for it; owned */
    bool multimodal;
    struct lp_server *server; /* whose line is its queue; borrowed; NULL: not yet */
    struct lp_heart *heart;   /* borrowed; NULL: no controller */
};
/* {"model_names", "speed": 1, "queue_length"}; NULL when out of memory; owned by caller. */
json_t *lp_worker_status(struct lp_worker *w);
int lp_worker_queue(struct lp_worker *w); /* requests that wait or are worked on */

/* Takes the names, "a,b"; NULL: `usual`, ended by NULL. LP_EUSAGE for an empty one, LP_EMEMORY. */
bool lp_worker_names(struct lp_worker *w, const char *list, const char *const *usual, struct lp_error *err);

struct lp_planner_worker {
    struct lp_worker worker; /* first */
    struct lp_lmm *lmm;      /* borrowed */
    struct lp_decoder decoder;
};
/* names: as above; NULL: the model's name. The lmm, which is no remote one, is borrowed until done; only the worker's server may
 * use it. Then lp_planner_worker_done, also after failure. */
bool lp_planner_worker_init(struct lp_planner_worker *w, struct lp_lmm *lmm, const char *names, struct lp_error *err);
void lp_planner_worker_done(struct lp_planner_worker *w);
struct lp_site lp_planner_worker_site(struct lp_planner_worker *w);

struct lp_skill_worker {
    struct lp_worker worker;      /* first */
    const struct lp_skill *skill; /* of process lifetime */
    struct lp_bench *bench;       /* owned */
};
/* names NULL: the skill's names at the original's workers. LP_EMISSING with the one sentence where the skill is not ready. */
bool lp_skill_worker_init(struct lp_skill_worker *w, const struct lp_skill *skill, const char *names, struct lp_error *err);
void lp_skill_worker_done(struct lp_skill_worker *w);
struct lp_site lp_skill_worker_site(struct lp_skill_worker *w);

#endif
