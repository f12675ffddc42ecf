/* SPDX-License-Identifier: MIT */
/* base/base64.c - three bytes as four letters, and back; in pieces of PIECE groups. */
#include "base/base64.h"

#include <string.h>

enum { PIECE = 256 };

static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void lp_base64_add(struct lp_str *out, const uint8_t *bytes, size_t n) {
    char piece[4 * PIECE];
    size_t filled = 0;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        piece[filled++] = letter[three >> 18];
        piece[filled++] = letter[three >> 12 & 63];
        piece[filled++] = left > 1 ? letter[three >> 6 & 63] : '=';
        piece[filled++] = left > 2 ? letter[three & 63] : '=';
        if (filled == sizeof piece || left <= 3) {
            lp_str_add(out, piece, filled);
            filled = 0;
        }
    }
}

/* What each character stands for; -1: nothing. */
static void fill_values(int8_t value[256]) {
    memset(value, -1, 256);
    for (int i = 0; i < 64; i++)
        value[(uint8_t)letter[i]] = (int8_t)i;
}

bool lp_base64_parse(struct lp_str *out, const char *text, size_t n) {
    size_t padding = n && text[n - 1] == '=' ? n > 1 && text[n - 2] == '=' ? 2 : 1 : 0, whole = padding ? n - 4 : n, filled = 0;
    int8_t value[256];
    char piece[3 * PIECE];
    if (n % 4)
        return false;
    fill_values(value);
    for (size_t i = 0; i < n; i += 4) {
        int32_t bits = 0, bad = 0;
        for (size_t j = i; j < i + 4; j++) {
            int v = i == whole && j >= n - padding ? 0 : value[(uint8_t)text[j]];
            bad |= v;
            bits = bits << 6 | (v & 63);
        }
        if (bad < 0 || (i == whole && bits & (padding == 2 ? 0xffff : 0xff)))
            return false;
        piece[filled++] = (char)(bits >> 16);
        piece[filled++] = (char)(bits >> 8);
        piece[filled++] = (char)bits;
        if (filled == sizeof piece || i + 4 == n) {
            lp_str_add(out, piece, i + 4 == n ? filled - padding : filled);
            filled = 0;
        }
    }
    return !out->failed;
}
