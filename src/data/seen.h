/* SPDX-License-Identifier: MIT */
/* Which skill an instruction belongs to, so that no two skills get the same one. */
#ifndef LP_DATA_SEEN_H
#define LP_DATA_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is a valid empty set. Texts are kept as 64-bit hashes. */
struct lp_seen {
    uint64_t *key; /* 0: free */
    int8_t *owner;
    size_t n, capacity;
};

/* Gives `text` (letter case and punctuation at its end aside) with its `kind` of company to `owner`, unless another
 * has it: then *clash. False when out of memory. */
bool lp_seen_claim(struct lp_seen *seen, const char *text, int kind, int owner, bool *clash);
void lp_seen_done(struct lp_seen *seen);

#endif
