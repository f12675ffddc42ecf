/* SPDX-License-Identifier: MIT */
/* base/sha256.c - nettle's, which uses the processor's own instructions where it has them. */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

void lp_sha256_init(struct lp_sha256 *s) {
    sha256_init(&s->context);
}

void lp_sha256_add(struct lp_sha256 *s, const void *data, size_t bytes) {
    sha256_update(&s->context, bytes, data);
}

struct lp_hash lp_sha256_end(struct lp_sha256 *s) {
    struct lp_hash out;
    sha256_digest(&s->context, sizeof out.byte, out.byte);
    return out;
}

struct lp_hash lp_sha256_of(const void *data, size_t bytes) {
    struct lp_sha256 s;
    lp_sha256_init(&s);
    lp_sha256_add(&s, data, bytes);
    return lp_sha256_end(&s);
}

bool lp_hash_equal(const struct lp_hash *a, const struct lp_hash *b) {
    return !memcmp(a->byte, b->byte, sizeof a->byte);
}

void lp_hash_hex(const struct lp_hash *h, char out[65]) {
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", h->byte[i]);
}
