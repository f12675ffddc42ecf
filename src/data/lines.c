/* SPDX-License-Identifier: MIT */
/* data/lines.c - a file's lines, one after the other. */
#include "data/lines.h"

#include "base/file.h"
#include "base/memory.h"

#include <string.h>

bool lp_lines_read(struct lp_lines *lines, const char *folder, const char *name, struct lp_error *err) {
    size_t n = 0;
    *lines = (struct lp_lines){.count = 1};
    if (lp_file_join(lines->path, sizeof lines->path, folder, name, err))
        lines->text = lp_file_read(lines->path, (size_t)1 << 20, &n, err);
    for (size_t i = 0; lines->text && i < n; i++)
        lines->count += lines->text[i] == '\n';
    return lines->text;
}

void lp_lines_done(struct lp_lines *lines) {
    lp_free(lines->text);
    lines->text = NULL;
}

bool lp_lines_each(struct lp_lines *lines, bool (*add)(void *context, char *line, struct lp_error *err), void *context,
                   struct lp_error *err) {
    size_t number = 0;
    for (char *next = lines->text; next;) {
        char *line = next, *end = strchr(line, '\n');
        if (end)
            *end = 0;
        next = end ? end + 1 : NULL;
        number++;
        if (*line && strncmp(line, "# ", 2) != 0 && !add(context, line, err))
            return lp_error_prefix(err, "%s, line %zu", lines->path, number);
    }
    return true;
}
