/* SPDX-License-Identifier: MIT */
/* train/loop.c - epochs, steps, passes. */
#include "train/train.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const size_t run_limit_bytes = (size_t)64 << 30; /* address space; pages are taken as they are used */

void lp_train_defaults(struct lp_train_settings *s) {
    *s = (struct lp_train_settings){.epochs = 1, .batch = 16, .rows_a_pass = 8192, .rate = 1e-3, .warm_up = 0.03,
                                    .decay = 0.01, .clip = 1, .beta2 = 0.98, .seed = 1};
}

struct loop {
    struct lp_llava *model;
    const struct lp_train_set *set;
    const struct lp_train_settings *s;
    struct lp_optimizer optimizer;
    lp_run *run;
    int32_t *order; /* of the samples in the present epoch */
    int64_t epoch;  /* that `order` is for; -1: none yet */
    const struct lp_train_sample **batch;
    FILE *log;
    double loss; /* of the last step */
    int64_t rows;
};

/* Each epoch has its own order, made from the seed alone: a resumed training finds it again. */
static void shuffle(struct loop *l, int64_t epoch) {
    struct lp_rng rng;
    lp_rng_seed(&rng, l->s->seed * 1000003 + (uint64_t)epoch);
    for (int64_t i = 0; i < l->set->count; i++)
        l->order[i] = (int32_t)i;
    for (int64_t i = l->set->count - 1; i > 0; i--) {
        int64_t j = lp_rng_below(&rng, (uint32_t)i + 1);
        int32_t kept = l->order[i];
        l->order[i] = l->order[j];
        l->order[j] = kept;
    }
    l->epoch = epoch;
}

static const struct lp_train_sample *draw(struct loop *l, int64_t position) {
    int64_t epoch = position / l->set->count;
    if (epoch != l->epoch)
        shuffle(l, epoch);
    return &l->set->sample[l->order[position % l->set->count]];
}

static bool pass(struct loop *l, int64_t count, double *loss, int64_t *trained, struct lp_error *err) {
    int64_t n = 0;
    lp_run_reset(l->run);
    l->run->taping = true;
    lp_tensor *y = lp_train_loss(l->run, l->set, l->batch, count, &n);
    if (!lp_backward(l->run, y, err))
        return false;
    *loss += lp_f32(y)[0];
    *trained += n;
    return true;
}

/* One step: the batch in passes of at most rows_a_pass rows, then the optimizer. */
static bool step(struct loop *l, int64_t number, int64_t steps, double *norm, struct lp_error *err) {
    double loss = 0;
    int64_t trained = 0, count = 0, rows = 0;
    l->rows = 0;
    for (int64_t i = 0; i < l->s->batch; i++) {
        const struct lp_train_sample *sample = draw(l, number * l->s->batch + i);
        if (count && rows + sample->rows > l->s->rows_a_pass) {
            if (!pass(l, count, &loss, &trained, err))
                return false;
            count = rows = 0;
        }
        l->batch[count++] = sample;
        rows += sample->rows;
        l->rows += sample->rows;
    }
    if (!pass(l, count, &loss, &trained, err))
        return false;
    l->loss = trained ? loss / (double)trained : 0;
    *norm = isfinite(l->loss) ? lp_optimizer_step(&l->optimizer, l->model, l->s,
                                                  lp_train_rate(l->s, number, steps), trained)
                              : NAN;
    return isfinite(*norm) ||
           lp_error_set(err, LP_EINPUT, "the loss or its gradient is not a number at step %ld: use a lower learning rate",
                        (long)number + 1);
}

static void report(struct loop *l, int64_t steps, double norm, double ms, double ms_a_step) {
    int64_t done = l->optimizer.step;
    struct lp_train_progress p = {done, steps, l->loss, lp_train_rate(l->s, done - 1, steps), norm,
                                  1e3 * (double)l->rows / ms, 1e-3 * ms_a_step * (double)(steps - done)};
    if (l->s->progress)
        l->s->progress(l->s->context, &p);
    if (l->log) {
        fprintf(l->log, "{\"step\": %ld, \"loss\": %.5f, \"rate\": %.3e, \"gradient_norm\": %.4f, \"rows_per_s\": %.0f}\n",
                (long)p.step, p.loss, p.rate, p.gradient_norm, p.tokens_per_s);
        fflush(l->log);
    }
}

static bool save(const struct loop *l, struct lp_error *err) {
    return !l->s->checkpoint || lp_checkpoint_save(l->s->checkpoint, l->model, &l->optimizer, err);
}

static bool run_steps(struct loop *l, int64_t steps, struct lp_error *err) {
    double ms_a_step = 0;
    while (l->optimizer.step < steps) {
        double norm = 0, began = lp_clock_ms();
        if (!step(l, l->optimizer.step, steps, &norm, err))
            return false;
        double ms = lp_clock_ms() - began;
        ms_a_step = ms_a_step > 0 ? 0.95 * ms_a_step + 0.05 * ms : ms;
        report(l, steps, norm, ms, ms_a_step);
        bool stopped = l->s->stop && *l->s->stop;
        bool due = l->s->save_every && l->optimizer.step % l->s->save_every == 0;
        if ((stopped || due || l->optimizer.step == steps) && !save(l, err))
            return false;
        if (stopped)
            return lp_error_set(err, LP_ECANCELED, "stopped after step %ld", (long)l->optimizer.step);
    }
    return true;
}

static bool prepare(struct loop *l, struct lp_error *err) {
    l->order = lp_alloc_array((size_t)l->set->count, sizeof *l->order);
    l->batch = lp_alloc_array((size_t)l->s->batch, sizeof *l->batch);
    if (!l->order || !l->batch)
        return lp_error_memory(err);
    bool found;
    if (!(l->run = lp_run_open(l->model->kernels, run_limit_bytes, err)) ||
        !lp_optimizer_init(&l->optimizer, l->model, err) ||
        (l->s->checkpoint && !lp_checkpoint_load(l->s->checkpoint, l->model, &l->optimizer, &found, err)))
        return false;
    if (l->s->log && !(l->log = fopen(l->s->log, "ae")))
        return lp_error_set(err, LP_EIO, "cannot write '%s': %s", l->s->log, strerror(errno));
    return true;
}

bool lp_train(struct lp_llava *model, const struct lp_train_set *set, const struct lp_train_settings *s,
              struct lp_error *err) {
    if (set->count == 0)
        return lp_error_set(err, LP_EINPUT, "there is no dialogue to learn from");
    struct loop l = {.model = model, .set = set, .s = s, .epoch = -1};
    int64_t steps = s->steps ? s->steps : (int64_t)ceil(s->epochs * (double)set->count / (double)s->batch);
    bool ok = prepare(&l, err) && run_steps(&l, steps, err);
    if (l.log)
        fclose(l.log);
    lp_run_close(l.run);
    lp_optimizer_done(&l.optimizer);
    lp_free(l.order);
    lp_free(l.batch);
    return ok;
}
