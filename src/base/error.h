/* SPDX-License-Identifier: MIT */
/* Filling a caller's struct lp_error. */
#ifndef LP_BASE_ERROR_H
#define LP_BASE_ERROR_H

#include "llava_plus.h"

/* Writes one sentence into err and returns false, so that `return lp_error_set(...)` fails a bool function.
 * err may be NULL. A text that does not fit is cut at a character, with an ellipsis. */
bool lp_error_set(struct lp_error *err, enum lp_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that is already there (for example a file's name). Returns false. */
bool lp_error_prefix(struct lp_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The sentence for running out of memory. Returns false. */
bool lp_error_memory(struct lp_error *err);

/* Process exit status for a code: 0, 1 or 2. */
int lp_error_exit_status(enum lp_code code);

#endif
