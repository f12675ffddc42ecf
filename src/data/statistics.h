/* SPDX-License-Identifier: MIT */
/* What a set of dialogues holds, counted by the skill of the first round. */
#ifndef LP_DATA_STATISTICS_H
#define LP_DATA_STATISTICS_H

#include "base/json.h"
#include "data/dialogue.h"
#include "data/seen.h"

#include <stdio.h>

/* Zero-initialised is valid and empty. */
struct lp_statistics {
    int64_t dialogues[LP_TASKS + 1], turns[LP_TASKS + 1], bytes[LP_TASKS + 1];
    struct lp_seen instructions[LP_TASKS + 1], words[LP_TASKS + 1], all_words; /* distinct ones */
};

bool lp_statistics_add(struct lp_statistics *s, enum lp_task task, const json_t *record, struct lp_error *err);
/* A table with the grammar's own numbers beside those of the dialogues. */
void lp_statistics_print(const struct lp_statistics *s, const struct lp_grammar *grammar, FILE *to);
void lp_statistics_done(struct lp_statistics *s);

#endif
