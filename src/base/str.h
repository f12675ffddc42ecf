/* SPDX-License-Identifier: MIT */
/* A growing byte string. Errors stick: check `failed` once at the end. */
#ifndef LP_BASE_STR_H
#define LP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised is a valid empty string. */
struct lp_str {
    char *s; /* NUL-terminated once anything was added; NULL before */
    size_t n, capacity;
    bool failed; /* out of memory: later adds do nothing */
};

void lp_str_add(struct lp_str *str, const char *bytes, size_t n);
void lp_str_puts(struct lp_str *str, const char *text);
void lp_str_putc(struct lp_str *str, char c);
void lp_str_printf(struct lp_str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lp_str_cut(struct lp_str *str, size_t n); /* keeps the first n bytes (n <= str->n) */
const char *lp_str_text(const struct lp_str *str); /* borrowed; "" when empty */
void lp_str_done(struct lp_str *str);

#endif
