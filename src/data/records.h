/* SPDX-License-Identifier: MIT */
/* Reading dialogue records as LLaVA and LLaVA-Plus released them: a JSON array, one record after the other, however
 * large the file, with the released files' irregularities put right. */
#ifndef LP_DATA_RECORDS_H
#define LP_DATA_RECORDS_H

#include "base/json.h"

struct lp_records;

struct lp_records *lp_records_open(const char *path, struct lp_error *err); /* NULL on failure */
void lp_records_close(struct lp_records *records);

/* The next record, owned by caller; *record is NULL after the last one. In its normal form:
 *   {"id": text, "images": [names], "skill"?: text, "conversations": [{"from": "human", "value": text},
 *                                                     {"from": "gpt", "thoughts"?, "actions"?, "value": text}, ..]}
 * Turns alternate, a human's first, an assistant's last. The pictures stand as "<image>" LF at the front of human
 * turns, as many as there are names. What cannot be put right is LP_EINPUT with the record's line
 * and number. */
bool lp_records_next(struct lp_records *records, json_t **record, struct lp_error *err);
size_t lp_records_line(const struct lp_records *records); /* where the last one begins, from 1 */

#endif
