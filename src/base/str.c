/* SPDX-License-Identifier: MIT */
/* base/str.c - a growing byte string. */
#include "base/str.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(struct lp_str *str, size_t more) {
    if (str->failed)
        return false;
    if (str->n + more + 1 <= str->capacity)
        return true;
    size_t capacity = str->capacity ? str->capacity : 64;
    while (capacity < str->n + more + 1)
        capacity *= 2;
    char *s = lp_realloc(str->s, capacity);
    if (!s) {
        str->failed = true;
        return false;
    }
    str->s = s;
    str->capacity = capacity;
    return true;
}

void lp_str_add(struct lp_str *str, const char *bytes, size_t n) {
    if (!reserve(str, n))
        return;
    if (n)
        memcpy(str->s + str->n, bytes, n);
    str->n += n;
    str->s[str->n] = 0;
}

void lp_str_puts(struct lp_str *str, const char *text) {
    lp_str_add(str, text, strlen(text));
}

void lp_str_putc(struct lp_str *str, char c) {
    lp_str_add(str, &c, 1);
}

void lp_str_printf(struct lp_str *str, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(str, (size_t)n))
        return;
    va_start(args, format);
    vsnprintf(str->s + str->n, (size_t)n + 1, format, args);
    va_end(args);
    str->n += (size_t)n;
}

void lp_str_cut(struct lp_str *str, size_t n) {
    if (n < str->n) {
        str->n = n;
        str->s[n] = 0;
    }
}

const char *lp_str_text(const struct lp_str *str) {
    return str->s ? str->s : "";
}

void lp_str_done(struct lp_str *str) {
    lp_free(str->s);
    *str = (struct lp_str){0};
}
