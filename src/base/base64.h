/* SPDX-License-Identifier: MIT */
#ifndef LP_BASE_BASE64_H
#define LP_BASE_BASE64_H

#include "base/str.h"

#include <stdint.h>

/* Adds n bytes as base64 with padding (RFC 4648, section 4). Out of memory shows in out->failed. */
void lp_base64_add(struct lp_str *out, const uint8_t *bytes, size_t n);

/* Adds the bytes that n letters stand for. False: other letters, padding missing or within, or bits beyond the last
 * byte; out of memory, which also shows in out->failed. */
bool lp_base64_parse(struct lp_str *out, const char *text, size_t n);

#endif
