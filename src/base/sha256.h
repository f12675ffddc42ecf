/* SPDX-License-Identifier: MIT */
/* SHA-256, FIPS 180-4: names for contents. */
#ifndef LP_BASE_SHA256_H
#define LP_BASE_SHA256_H

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lp_hash {
    uint8_t byte[32];
};

struct lp_sha256 {
    struct sha256_ctx context;
};

void lp_sha256_init(struct lp_sha256 *s);
void lp_sha256_add(struct lp_sha256 *s, const void *data, size_t bytes);
struct lp_hash lp_sha256_end(struct lp_sha256 *s); /* s is used up */
struct lp_hash lp_sha256_of(const void *data, size_t bytes);

bool lp_hash_equal(const struct lp_hash *a, const struct lp_hash *b);
void lp_hash_hex(const struct lp_hash *h, char out[65]); /* 64 digits and NUL */

#endif
