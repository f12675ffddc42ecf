/* SPDX-License-Identifier: MIT */
/* Choosing the next token from logits. */
#ifndef LP_PLAN_SAMPLE_H
#define LP_PLAN_SAMPLE_H

#include "base/rng.h"

#include <stdbool.h>

struct lp_sampling {
    double temperature; /* below 0.001: the most likely token */
    double top_p;       /* only the most likely tokens that together have this share; 1: all */
    uint64_t seed;
    int most_tokens; /* of one turn */
};
void lp_sampling_defaults(struct lp_sampling *s); /* 0, 1, 0, 512 */

/* One of 0..n-1; `legal` (NULL: all) leaves out the rest. `scratch` holds n floats. Logits that are no
 * numbers count as impossible. -1 when nothing is legal. */
int32_t lp_sample(const float *logits, int64_t n, const bool *legal, const struct lp_sampling *s,
                  struct lp_rng *rng, float *scratch);

#endif
