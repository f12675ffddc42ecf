/* SPDX-License-Identifier: MIT */
/* Tables as text, an entry a line. */
#ifndef LP_DATA_LINES_H
#define LP_DATA_LINES_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct lp_lines {
    char path[PATH_MAX];
    char *text;   /* cut up by lp_lines_each */
    size_t count; /* of all lines, empty ones and comments too */
};

/* Reads a file of the folder, of 1 MiB at most. Ended by lp_lines_done, also after a failure. */
bool lp_lines_read(struct lp_lines *lines, const char *folder, const char *name, struct lp_error *err);
void lp_lines_done(struct lp_lines *lines);

/* Calls `add` with each line but empty ones and comments ("# .."), until one fails; the error then says which. */
bool lp_lines_each(struct lp_lines *lines, bool (*add)(void *context, char *line, struct lp_error *err), void *context,
                   struct lp_error *err);

#endif
