/* SPDX-License-Identifier: MIT */
/* A skill's call in the words of the original's tool workers: {"image": base64, parameters} and what it gives as one
 * JSON object. Both ends are here, ours as a worker and ours as its client. docs/workers.md has the table. */
#ifndef LP_SKILL_WIRE_H
#define LP_SKILL_WIRE_H

#include "skill/skill.h"

enum { LP_WIRE_NAMES = 8 };

/* The names by which workers of the skill are known, the usual one first, ended by NULL; static. */
void lp_wire_names(const struct lp_skill *skill, const char *names[LP_WIRE_NAMES + 1]);
/* The port at which the original's worker listens. */
int lp_wire_port(const struct lp_skill *skill);

/* A worker's work: reads the request, runs the skill (bench, cancel: as in lp_call) and returns the response, owned by caller.
 * NULL on failure: LP_EINPUT for a request that makes no sense, and what the skill says. Pictures are base64, never paths. */
json_t *lp_wire_serve(const struct lp_skill *skill, const json_t *request, struct lp_bench *bench, const atomic_bool *cancel,
                      struct lp_error *err);

/* A client's request for a call whose picture has been picked; owned by caller; NULL on failure. */
json_t *lp_wire_request(const struct lp_call *call, struct lp_error *err);
/* Fills the call's result, report and made from what the worker of that name responds, as running the skill would have done.
 * LP_EIO for what the worker says went wrong, LP_EINPUT for what makes no sense. */
bool lp_wire_take(struct lp_call *call, const char *name, const json_t *response, struct lp_error *err);

#endif
