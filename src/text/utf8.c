/* SPDX-License-Identifier: MIT */
/* text/utf8.c - UTF-8, through utf8proc. */
#include "text/utf8.h"

#include <string.h>
#include <utf8proc.h>

int lp_utf8_next(const char *s, size_t n, uint32_t *cp) {
    if (n == 0)
        return 0;
    utf8proc_int32_t value;
    utf8proc_ssize_t bytes =
        utf8proc_iterate((const utf8proc_uint8_t *)s, n > 4 ? 4 : (utf8proc_ssize_t)n, &value);
    if (bytes <= 0)
        return 0;
    if (cp)
        *cp = (uint32_t)value;
    return (int)bytes;
}

bool lp_utf8_is_cut(const char *s, size_t n) {
    const unsigned char *u = (const unsigned char *)s;
    size_t whole = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    if (u[0] < 0xc2 || u[0] > 0xf4 || n >= whole)
        return false;
    /* The second byte's range rules out overlong forms, surrogates and values above U+10FFFF. */
    unsigned lo = u[0] == 0xe0 ? 0xa0 : u[0] == 0xf0 ? 0x90 : 0x80;
    unsigned hi = u[0] == 0xed ? 0x9f : u[0] == 0xf4 ? 0x8f : 0xbf;
    return n < 2 || (u[1] >= lo && u[1] <= hi && (n < 3 || (u[2] & 0xc0) == 0x80));
}

bool lp_utf8_valid(const char *s, size_t n) {
    for (int bytes; n; s += bytes, n -= (size_t)bytes)
        if ((bytes = lp_utf8_next(s, n, NULL)) == 0)
            return false;
    return true;
}

void lp_utf8_clean(const char *s, size_t n, struct lp_str *out) {
    size_t good = 0; /* bytes of s that wait to be added */
    while (good < n) {
        int bytes = lp_utf8_next(s + good, n - good, NULL);
        good += (size_t)bytes;
        if (bytes)
            continue;
        lp_str_add(out, s, good);
        lp_str_puts(out, LP_UTF8_REPLACEMENT);
        s += good + 1;
        n -= good + 1;
        good = 0;
    }
    lp_str_add(out, s, good);
}

int lp_utf8_put(char out[4], uint32_t cp) {
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
        cp = 0xfffd;
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)cp, bytes);
    memcpy(out, bytes, (size_t)n);
    return (int)n;
}
