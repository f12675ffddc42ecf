/* SPDX-License-Identifier: MIT */
/* What a model holds, and the prefix cache: prompts that begin alike share the keys and values of their
 * beginning, also between conversations and, where the store has a folder, after a restart. */
#ifndef LP_PLAN_PREFIX_H
#define LP_PLAN_PREFIX_H

#include "plan/lmm.h"
#include "text/tokenizer.h"

/* Ids, and for each LP_IMAGE_TOKEN among them what it shows. */
struct lp_sequence {
    struct lp_ids ids;
    struct lp_shown {
        struct lp_hash content;
        int64_t rows; /* positions that it takes */
    } * picture;      /* owned */
    int64_t pictures, capacity;
};
void lp_sequence_done(struct lp_sequence *s);
/* Appends ids, each LP_IMAGE_TOKEN with the next of `pictures`. On failure (LP_EMEMORY) some may have been.
 */
bool lp_sequence_add(struct lp_sequence *s, const struct lp_ids *ids,
                     const struct lp_llava_picture *const *pictures, struct lp_error *err);
void lp_sequence_cut(struct lp_sequence *s, size_t n);           /* keeps the first n ids */
int64_t lp_sequence_rows(const struct lp_sequence *s, size_t n); /* positions of the first n ids */
size_t lp_sequence_common(const struct lp_sequence *a,
                          const struct lp_sequence *b); /* ids that both begin with */

/* A prefix is kept in blocks: up to and with a picture, or else this many ids. */
enum { LP_PREFIX_BLOCK = 32 };

/* Makes the model hold the beginning of `wanted`, all but at least its last id: what it holds already (`same`
 * ids, and nothing else) and what the store has behind that. Returns how many ids it holds then. */
size_t lp_prefix_load(struct lp_lmm *lmm, const struct lp_sequence *wanted, size_t same);

/* Puts what the model holds into the store, where it is not there. */
void lp_prefix_keep(struct lp_lmm *lmm, const struct lp_sequence *held);

#endif
