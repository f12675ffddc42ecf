/* SPDX-License-Identifier: MIT */
/* Answers that cost something, kept line by line as they come: a kill at any moment loses at most the line that is being
 * written, and the next run goes on from there. */
#ifndef LP_DATA_JOURNAL_H
#define LP_DATA_JOURNAL_H

#include "base/json.h"

struct lp_journal;

/* Opens or begins the file and keeps others out of it. Its first line is `head`; one that says something else is LP_EUSAGE:
 * it belongs to other settings. A last line without its end is dropped; any other line that makes no sense is LP_EINPUT.
 * NULL on failure. */
struct lp_journal *lp_journal_open(const char *path, const json_t *head, struct lp_error *err);
void lp_journal_close(struct lp_journal *journal);

/* What was put under a key, borrowed; NULL: nothing. */
const json_t *lp_journal_find(const struct lp_journal *journal, const char *key);
/* Adds a line {"key", "value"} and waits until the disk has it. The value is borrowed. */
bool lp_journal_put(struct lp_journal *journal, const char *key, json_t *value, struct lp_error *err);
size_t lp_journal_size(const struct lp_journal *journal); /* keys */

/* Removes the file: its answers are elsewhere now. Then close it. */
bool lp_journal_remove(struct lp_journal *journal, struct lp_error *err);

#endif
