/* SPDX-License-Identifier: MIT */
/* Files of requests, one JSON object a line: id, instruction, image, points, boxes, reference. */
#ifndef LP_CLI_BATCH_H
#define LP_CLI_BATCH_H

#include "cli/planner.h"

/* A whole file; owned by caller (lp_free); NULL on failure. */
char *lp_batch_open(const char *path, size_t *size, struct lp_error *err);

/* Calls `each` for every line that is not blank; stops at the first failure, which names file and line. `each` may be
 * NULL: then only the JSON is checked. */
bool lp_batch_lines(const char *path, const char *text, size_t size,
                    bool (*each)(void *context, const json_t *line, struct lp_error *err), void *context,
                    struct lp_error *err);

/* Begins `talk` anew with a line's pictures and gives its request, which borrows `line` and `prompts` (zeroed by caller,
 * lp_prompts_done also after failure). Pictures' paths start at the folder of `path`. */
bool lp_batch_request(const char *path, const json_t *line, struct lp_conversation *talk, struct lp_prompts *prompts,
                      struct lp_request *request, struct lp_error *err);

#endif
