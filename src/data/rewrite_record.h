/* SPDX-License-Identifier: MIT */
/* The instructions of one dialogue, and the dialogue with other ones. Only rewrite.c includes it. */
#ifndef LP_DATA_REWRITE_RECORD_H
#define LP_DATA_REWRITE_RECORD_H

#include "data/journal.h"

/* What the user says in a turn. */
struct lp_rewrite_said {
    char *text;    /* the instruction's own words */
    char *key;     /* the same with what must be kept: its name in the journal; NULL: the turn holds no instruction */
    json_t *keeps; /* array of texts */
    bool sure;     /* all parameters of the calls that follow can be looked for in a wording */
};
/* Of turn i (a human's) of a record in normal form. Owned by caller (done). */
bool lp_rewrite_said(const json_t *turns, size_t i, struct lp_rewrite_said *said, struct lp_error *err);
void lp_rewrite_said_done(struct lp_rewrite_said *said);

/* The record in the released format with the k-th wording of each instruction that has so many, else the old one. Owned by
 * caller; NULL where no instruction has a k-th wording. */
bool lp_rewrite_record(const json_t *record, const struct lp_journal *wordings, int k, json_t **anew, struct lp_error *err);

#endif
