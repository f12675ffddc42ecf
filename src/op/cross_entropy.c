/* SPDX-License-Identifier: MIT */
/* op/cross_entropy.c - the sum of -log softmax(logits)[target] over the rows that count.
 * logits [n,V], target [n] -> y [1]; a target of LP_IGNORE does not count. A sum, not a mean: batches that are
 * taken in several passes then add up to the same gradient. */
#include "op/half.h"

static void backward(struct lp_node *n) { /* saved [n,V] = softmax(logits) */
    lp_run *r = n->run;
    float *dlogits = lp_grad(r, n->in[0]);
    lp_mark m = lp_here(r);
    const float *prob = lp_wide(r, n->saved);
    if (dlogits && prob)
        r->k->cross_entropy_grad(dlogits, prob, *(const int32_t *const *)n->settings, n->out->grad[0],
                                 lp_rows(n->in[0]), lp_dim(n->in[0], -1));
    lp_back_to(r, m);
}

lp_tensor *lp_cross_entropy(lp_run *r, lp_tensor *logits, const int32_t *target) {
    if (!lp_enter(r, "cross_entropy"))
        return NULL;
    int64_t rows = lp_rows(logits), V = lp_dim(logits, -1);
    for (int64_t i = 0; i < rows; i++)
        if (target[i] != LP_IGNORE && (target[i] < 0 || target[i] >= V))
            return lp_fail(r, LP_EINPUT, "target %d is not in the vocabulary of %ld", (int)target[i], (long)V);
    lp_tensor *y = lp_new(r, 1, (int64_t)1), *loss = lp_new(r, 1, rows), *prob = lp_like_kept(r, logits);
    lp_mark m = lp_here(r);
    const float *in = lp_wide(r, logits);
    float *wide = lp_wide_of(r, prob);
    if (!y || !loss || !in || !wide)
        return NULL;
    r->k->cross_entropy(lp_f32(loss), wide, in, target, rows, V);
    lp_narrow(r, prob, wide);
    lp_back_to(r, m);
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += lp_f32(loss)[i];
    lp_f32(y)[0] = (float)sum;
    return lp_record(r, backward, y, prob, logits, NULL, NULL, &target, sizeof target);
}
