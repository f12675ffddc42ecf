/* SPDX-License-Identifier: MIT */
/* base/base64.c - three bytes as four letters, and back. */
#include "base/base64.h"

void lp_base64_add(struct lp_str *out, const uint8_t *bytes, size_t n) {
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        const char four[4] = {letter[three >> 18], letter[three >> 12 & 63],
                              left > 1 ? letter[three >> 6 & 63] : '=', left > 2 ? letter[three & 63] : '='};
        lp_str_add(out, four, 4);
    }
}

static int value_of(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool lp_base64_parse(struct lp_str *out, const char *text, size_t n) {
    size_t padding = n && text[n - 1] == '=' ? n > 1 && text[n - 2] == '=' ? 2 : 1 : 0;
    uint32_t bits = 0;
    if (n % 4)
        return false;
    for (size_t i = 0; i < n - padding; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            const char three[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
            lp_str_add(out, three, 3);
        }
    }
    if (padding == 2) {
        lp_str_putc(out, (char)(bits >> 4));
    } else if (padding == 1) {
        lp_str_putc(out, (char)(bits >> 10));
        lp_str_putc(out, (char)(bits >> 2));
    }
    return !out->failed && !(padding == 2 ? bits & 15 : padding == 1 ? bits & 3 : 0);
}
