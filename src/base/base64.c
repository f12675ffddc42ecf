/* SPDX-License-Identifier: MIT */
/* base/base64.c - three bytes as four letters. */
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
