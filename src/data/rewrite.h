/* SPDX-License-Identifier: MIT */
/* Dialogues with their instructions in other words, which a chat model behind an OpenAI-compatible endpoint finds: the
 * paper's way to many phrasings (arXiv:2311.05437, section 2.3). Thoughts, calls, results and answers stay. */
#ifndef LP_DATA_REWRITE_H
#define LP_DATA_REWRITE_H

#include "data/ask.h"
#include "data/said.h"

struct lp_rewrite_report {
    int64_t records, instructions; /* read; different instructions in them */
    int64_t known, asked;          /* found in the journal; asked of the endpoint now */
    int64_t wordings[LP_WORDINGS]; /* of those asked: how they were judged (lp_said_check) */
    int64_t unreadable;            /* instructions for which no list of wordings came */
    int64_t kept;                  /* instructions that were not asked: a parameter's words are not in them */
    int64_t written;               /* records of the output */
};

struct lp_rewrite_settings {
    const char *like, *out; /* files: dialogues to take instructions from; where the new ones go */
    struct lp_ask_settings ask;
    int wordings;           /* of each instruction, 1..50 */
    int64_t count;          /* only the first records; 0: all */
    void (*progress)(void *context, const struct lp_rewrite_report *report); /* after each answer; may be NULL */
    void *context;
};
void lp_rewrite_defaults(struct lp_rewrite_settings *s); /* 3 wordings */

/* Writes up to `wordings` records for each of `like` that has an instruction in new words, whole or not at all. Answers are
 * kept in OUT.journal until then, and a run that was stopped in any way goes on from there. Errors: those of lp_ask but
 * LP_EINPUT (which is counted, until five in a row make it an error), of reading `like` and of writing. */
bool lp_rewrite(const struct lp_rewrite_settings *s, struct lp_rewrite_report *report, struct lp_error *err);

#endif
