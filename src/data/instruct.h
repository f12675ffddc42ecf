/* SPDX-License-Identifier: MIT */
/* Instruction dialogues about scenes for all sixteen skills and for none, from the grammar and a seed. */
#ifndef LP_DATA_INSTRUCT_H
#define LP_DATA_INSTRUCT_H

#include "base/json.h"
#include "data/dialogue.h"

struct lp_instruct;

/* The paper's two settings: skills are called when they are wanted; or those that understand whole pictures have been
 * already, their results stand with the first question, and nothing is called. */
enum lp_instruct_tools { LP_INSTRUCT_FLY, LP_INSTRUCT_ALL };

struct lp_instruct_settings {
    const struct lp_truth *truth; /* scenes; borrowed */
    uint64_t seed;
    const char *skill; /* a task to which all first rounds are to belong, "none", "see" (visual chat), or NULL: a mix */
    enum lp_instruct_tools tools;
    int chat_percent;  /* share of visual chat in the mix */
    struct lp_imperfection skills;
};
void lp_instruct_defaults(struct lp_instruct_settings *settings); /* all but truth */

struct lp_instruct *lp_instruct_open(const struct lp_grammar *grammar, const struct lp_instruct_settings *settings,
                                     struct lp_error *err);
void lp_instruct_close(struct lp_instruct *maker);

/* The next dialogue as a record of the released format, with its kind under "skill"; same seed and scenes, same records.
 * *task is its first round's skill. Owned by caller (json_decref); NULL on failure. */
json_t *lp_instruct_next(struct lp_instruct *maker, enum lp_task *task, struct lp_error *err);

#endif
