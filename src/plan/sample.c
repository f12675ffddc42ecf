/* SPDX-License-Identifier: MIT */
/* plan/sample.c - logits [n] -> one index. Nucleus sampling: Holtzman et al. 2020, arXiv:1904.09751. */
#include "plan/sample.h"

#include <math.h>

void lp_sampling_defaults(struct lp_sampling *s) {
    *s = (struct lp_sampling){.temperature = 0, .top_p = 1, .seed = 0, .most_tokens = 512};
}

static bool possible(const float *logits, const bool *legal, int64_t i) {
    return (!legal || legal[i]) && logits[i] > -INFINITY && logits[i] < INFINITY;
}

static int32_t most_likely(const float *logits, int64_t n, const bool *legal) {
    int32_t best = -1;
    for (int64_t i = 0; i < n; i++)
        if (possible(logits, legal, i) && (best < 0 || logits[i] > logits[best]))
            best = (int32_t)i;
    for (int64_t i = 0; best < 0 && i < n; i++) /* a broken model must still not leave the grammar */
        if (!legal || legal[i])
            best = (int32_t)i;
    return best;
}

static double share_from(const float *p, int64_t n, float least) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += p[i] >= least ? p[i] : 0;
    return sum;
}

/* The largest probability such that those at least as large have the share top_p, by bisection: no sorting.
 */
static float nucleus(const float *p, int64_t n, double total, double top_p) {
    float lo = 0, hi = 1; /* p was scaled so that its largest is 1 */
    if (share_from(p, n, 1) >= top_p * total)
        return 1;
    for (int i = 0; i < 32; i++) {
        float middle = (lo + hi) / 2;
        if (share_from(p, n, middle) >= top_p * total)
            lo = middle;
        else
            hi = middle;
    }
    return lo;
}

int32_t lp_sample(const float *logits, int64_t n, const bool *legal, const struct lp_sampling *s,
                  struct lp_rng *rng, float *p) {
    int32_t best = most_likely(logits, n, legal);
    if (best < 0 || s->temperature < 0.001 || !possible(logits, legal, best))
        return best;
    for (int64_t i = 0; i < n; i++)
        p[i] = possible(logits, legal, i) ? expf((logits[i] - logits[best]) / (float)s->temperature) : 0;
    double total = share_from(p, n, 0);
    float least = s->top_p < 1 ? nucleus(p, n, total, s->top_p) : 0;
    double left = lp_rng_float(rng) * share_from(p, n, least);
    int32_t last = best;
    for (int64_t i = 0; i < n; i++) {
        if (p[i] <= 0 || p[i] < least)
            continue;
        last = (int32_t)i;
        left -= p[i];
        if (left < 0)
            break;
    }
    return last;
}
