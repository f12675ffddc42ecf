/* SPDX-License-Identifier: MIT */
/* What a set of dialogues holds, counted by the skill of the first round. */
#ifndef LP_DATA_STATISTICS_H
#define LP_DATA_STATISTICS_H

#include "base/json.h"
#include "data/dialogue.h"
#include "data/seen.h"
#include "image/image.h"

#include <stdio.h>

enum { LP_KIND_SEE = LP_TASKS + 1, LP_KINDS }; /* visual chat; the kinds before are tasks and LP_TASK_NONE */

extern const char *const lp_kind_names[LP_KINDS]; /* "detect" .. "none", "see" */

/* Zero-initialised is valid and empty. */
struct lp_statistics {
    int64_t dialogues[LP_KINDS], turns[LP_KINDS], bytes[LP_KINDS];
    int64_t spoken[LP_KINDS];      /* words in first instructions */
    int64_t calls[LP_TASKS], all_calls, all_dialogues; /* in any round */
    struct lp_seen instructions[LP_KINDS], words[LP_KINDS], all_words; /* distinct ones */
};

/* A record as it is written or, by data/records.h, read. Its kind is what its "skill" says, else what its first plan
 * calls at last, else visual chat where it has a picture. */
bool lp_statistics_add(struct lp_statistics *s, const json_t *record, struct lp_error *err);
/* A table; with a grammar its own numbers stand beside those of the dialogues. */
void lp_statistics_print(const struct lp_statistics *s, const struct lp_grammar *grammar, FILE *to);
/* Bars of dialogues, of words an instruction and of distinct words, by kind. Owned by caller; NULL on failure. */
struct lp_image *lp_statistics_draw(const struct lp_statistics *s, struct lp_error *err);
/* The same as a file (.png, .jpg, .webp). */
bool lp_statistics_save(const struct lp_statistics *s, const char *path, struct lp_error *err);
void lp_statistics_done(struct lp_statistics *s);

#endif
