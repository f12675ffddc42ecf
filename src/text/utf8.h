/* SPDX-License-Identifier: MIT */
/* UTF-8, well formed as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LP_TEXT_UTF8_H
#define LP_TEXT_UTF8_H

#include "base/str.h"

#include <stdint.h>

#define LP_UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Bytes (1..4) of the character that s[0..n) starts with, its code point in *cp (may be NULL); 0 where the
 * bytes are malformed or n is 0. */
int lp_utf8_next(const char *s, size_t n, uint32_t *cp);
/* Whether s[0..n), n >= 1, is the start of a well-formed character whose last bytes are missing. */
bool lp_utf8_is_cut(const char *s, size_t n);
bool lp_utf8_valid(const char *s, size_t n);
/* Appends s[0..n), each malformed byte replaced by U+FFFD. */
void lp_utf8_clean(const char *s, size_t n, struct lp_str *out);
/* Writes cp (a scalar value, else U+FFFD) and returns its bytes, 1..4; no NUL. */
int lp_utf8_put(char out[4], uint32_t cp);

#endif
