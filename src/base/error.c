/* SPDX-License-Identifier: MIT */
/* base/error.c - error sentences, exit statuses. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts text that filled its buffer at the last whole UTF-8 character, and shows that it was cut. */
static void end_in_ellipsis(char *text, size_t size) {
    size_t n = size - 4;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(text + n, "...", 4);
}

bool lp_error_set(struct lp_error *err, enum lp_code code, const char *format, ...) {
    if (!err)
        return false;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= (int)sizeof err->text)
        end_in_ellipsis(err->text, sizeof err->text);
    for (char *c = err->text; *c; c++) /* one line, whatever the outside put into it */
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    err->code = code;
    return false;
}

bool lp_error_prefix(struct lp_error *err, const char *format, ...) {
    if (!err)
        return false;
    char prefix[sizeof err->text], rest[sizeof err->text];
    memcpy(rest, err->text, sizeof rest);
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    return lp_error_set(err, err->code, "%s: %s", prefix, rest);
}

bool lp_error_memory(struct lp_error *err) {
    return lp_error_set(err, LP_EMEMORY, "out of memory");
}

int lp_error_exit_status(enum lp_code code) {
    return code == LP_OK ? 0 : code == LP_EUSAGE ? 2 : 1;
}
