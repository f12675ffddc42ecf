/* SPDX-License-Identifier: MIT */
/* train/eval.c - the loss on dialogues that are not learnt from. */
#include "train/train.h"

#include "base/memory.h"

static bool pass(lp_run *r, const struct lp_train_set *set, struct lp_train_reader *reader,
                 const struct lp_train_sample *const *sample, int64_t count, double *sum, int64_t *tokens,
                 struct lp_error *err) {
    int64_t n = 0, now = 1; /* any step's number serves */
    if (!lp_train_reader_start(reader, sample, count, now, err) || !lp_train_reader_wait(reader, err))
        return false;
    lp_run_reset(r);
    r->taping = false;
    lp_tensor *y = lp_train_loss(r, set, sample, count, &n);
    lp_train_reader_drop(sample, count, now);
    if (!lp_run_check(r, err))
        return false;
    *sum += y ? (double)lp_f32(y)[0] : 0;
    *tokens += n;
    return true;
}

bool lp_train_eval(lp_run *r, struct lp_train_set *set, int64_t rows_a_pass, struct lp_train_reader *reader,
                   double *loss, struct lp_error *err) {
    const struct lp_train_sample **sample = lp_alloc_array((size_t)set->count, sizeof *sample);
    if (!sample)
        return lp_error_memory(err);
    double sum = 0;
    int64_t tokens = 0, count = 0, rows = 0;
    bool ok = true;
    for (int64_t i = 0; ok && i <= set->count; i++) {
        if (count && (i == set->count || rows + set->sample[i].rows > rows_a_pass)) {
            ok = pass(r, set, reader, sample, count, &sum, &tokens, err);
            count = rows = 0;
        }
        if (i < set->count) {
            rows += set->sample[i].rows;
            sample[count++] = &set->sample[i];
        }
    }
    *loss = tokens ? sum / (double)tokens : 0;
    lp_free(sample);
    return ok;
}
