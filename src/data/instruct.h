/* SPDX-License-Identifier: MIT */
/* Instruction dialogues for all sixteen skills and for none, from the grammar and a seed. */
#ifndef LP_DATA_INSTRUCT_H
#define LP_DATA_INSTRUCT_H

#include "base/json.h"
#include "data/dialogue.h"

struct lp_instruct;

/* `skill`: a task name ("detect", "none") to which all dialogues' first rounds are to belong, or NULL for the mix. */
struct lp_instruct *lp_instruct_open(const struct lp_grammar *grammar, uint64_t seed, const char *skill,
                                     struct lp_error *err);
void lp_instruct_close(struct lp_instruct *maker);

/* The next dialogue as a record of the released format; same seed, same records. *task is its first round's skill.
 * Owned by caller (json_decref); NULL on failure. */
json_t *lp_instruct_next(struct lp_instruct *maker, enum lp_task *task, struct lp_error *err);

#endif
