/* SPDX-License-Identifier: MIT */
/* train/loop.c - epochs, steps, batches, passes.
 * A step is some batches, a batch some passes of at most rows_a_pass rows; gradients add up over all of them. While a
 * step is computed the pictures of the next one are read. */
#include "train/train.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static const size_t run_limit_bytes = (size_t)64 << 30; /* address space; pages are taken as they are used */

void lp_train_defaults(struct lp_train_settings *s) {
    *s = (struct lp_train_settings){.epochs = 1, .batch = 16, .accumulate = 1, .rows_a_pass = 8192, .rate = 1e-3,
                                    .warm_up = 0.03, .decay = 0.01, .clip = 1, .beta2 = 0.98, .seed = 1,
                                    .eval_every = 200, .picture_bytes = (size_t)1 << 30};
}

struct loop {
    struct lp_llava *model;
    struct lp_train_set *set;
    const struct lp_train_settings *s;
    int64_t steps, dialogues; /* in all; a step, on this rank */
    int64_t batch, first;     /* this rank's part of a batch: so many from the first on */
    bool stopped;             /* a rank was asked to */
    struct lp_optimizer optimizer;
    lp_run *run;
    int32_t *order; /* of the samples in the present epoch */
    int64_t epoch;  /* that `order` is for; -1: none yet */
    const struct lp_train_sample **now, **next; /* [dialogues], of this step and of the one after */
    struct lp_train_reader reader, eval_reader;
    struct lp_train_log log;
    json_t *note;
    struct lp_train_progress progress; /* of the last step */
    double ms_a_step;
    int64_t saved; /* the checkpoint's step; -1: there is none */
    bool unsaved;  /* the disk took no checkpoint */
    bool spoilt;   /* numbers failed: what is in memory is no better than the last checkpoint */
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

/* The samples of a step go to `next`, and their pictures are read beside what runs. */
static bool look_ahead(struct loop *l, int64_t number, struct lp_error *err) {
    for (int64_t i = 0; i < l->dialogues; i++)
        l->next[i] = draw(l, (number * l->s->accumulate + i / l->batch) * l->s->batch + l->first + i % l->batch);
    return lp_train_reader_start(&l->reader, l->next, l->dialogues, number + 1, err);
}

static bool pass(struct loop *l, const struct lp_train_sample *const *sample, int64_t count, double *loss,
                 int64_t *trained, struct lp_error *err) {
    int64_t n = 0;
    lp_run_reset(l->run);
    l->run->taping = true;
    l->run->half = l->s->half;
    l->run->checkpointing = l->s->checkpointing;
    lp_tensor *y = lp_train_loss(l->run, l->set, sample, count, &n);
    if (!lp_backward(l->run, y, err))
        return false;
    double sum = y ? lp_f32(y)[0] : 0; /* none: nothing of these dialogues is trained */
    *loss += sum;
    *trained += n;
    if (isfinite(sum))
        return true;
    l->spoilt = true;
    const struct lp_train_source *from = &sample[0]->source;
    return lp_error_set(err, LP_EINPUT, "the loss is not a number at step %ld, in %ld dialogues from %s line %ld on: use a lower learning rate",
                        (long)l->optimizer.step + 1, (long)count, from->file ? from->file : "memory", (long)from->line);
}

/* One batch in passes of at most rows_a_pass rows. */
static bool batch(struct loop *l, const struct lp_train_sample *const *sample, double *loss, int64_t *trained,
                  struct lp_error *err) {
    int64_t rows = 0, begin = 0;
    for (int64_t i = 0; i < l->batch; i++) {
        if (i > begin && rows + sample[i]->rows > l->s->rows_a_pass) {
            if (!pass(l, sample + begin, i - begin, loss, trained, err))
                return false;
            begin = i;
            rows = 0;
        }
        rows += sample[i]->rows;
        l->progress.tokens += sample[i]->rows;
    }
    return pass(l, sample + begin, l->batch - begin, loss, trained, err);
}

static bool others_went_well(struct loop *l, bool ok, struct lp_error *err) {
    struct lp_ranks *ranks = l->s->ranks;
    if (!ranks)
        return ok;
    int first = ranks->first_failed(!ok);
    ranks->told = first >= 0 && first != ranks->rank;
    if (ranks->told)
        return lp_error_set(err, LP_EIO, "rank %d failed", first);
    return ok;
}

/* Gradients, losses and the wish to stop of all ranks. */
static void add_up(struct loop *l, double *loss, int64_t *trained) {
    const struct lp_ranks *ranks = l->s->ranks;
    l->stopped = l->s->stop && *l->s->stop;
    if (!ranks)
        return;
    double sum[] = {*loss, (double)*trained, (double)l->progress.tokens, l->stopped};
    ranks->sum_doubles(sum, sizeof sum / sizeof *sum);
    ranks->sum_floats(l->optimizer.gradient, l->optimizer.numbers);
    *loss = sum[0];
    *trained = (int64_t)sum[1];
    l->progress.tokens = (int64_t)sum[2];
    l->stopped = sum[3] > 0;
}

/* The batches of a step, then the optimizer. */
static bool learn(struct loop *l, int64_t number, struct lp_error *err) {
    double loss = 0;
    int64_t trained = 0;
    bool ok = true;
    l->progress.tokens = 0;
    for (int64_t i = 0; ok && i < l->s->accumulate; i++)
        ok = batch(l, l->now + i * l->batch, &loss, &trained, err);
    if (!others_went_well(l, ok, err))
        return false;
    add_up(l, &loss, &trained);
    l->progress.loss = trained ? loss / (double)trained : 0;
    l->progress.rate = lp_train_rate(l->s, number, l->steps);
    l->progress.gradient_norm = lp_optimizer_step(&l->optimizer, l->model, l->s, l->progress.rate, trained);
    l->spoilt = !isfinite(l->progress.gradient_norm);
    return !l->spoilt || lp_error_set(err, LP_EINPUT, "the loss's gradient is not a number at step %ld: use a lower learning rate",
                                      (long)number + 1);
}

static bool step(struct loop *l, int64_t number, struct lp_error *err) {
    if (!lp_train_reader_wait(&l->reader, err))
        return false;
    const struct lp_train_sample **drawn = l->next;
    l->next = l->now;
    l->now = drawn;
    bool ok = (number + 1 == l->steps || look_ahead(l, number + 1, err)) && learn(l, number, err);
    struct lp_error late = {0}; /* of the next step's pictures: said when it comes */
    lp_train_reader_wait(&l->reader, &late);
    lp_train_reader_drop(l->now, l->dialogues, number + 1);
    return ok;
}

static bool evaluate(struct loop *l, struct lp_error *err) {
    int64_t done = l->optimizer.step;
    l->progress.eval_loss = NAN;
    bool due = l->s->eval && (done == l->steps || (l->s->eval_every && done % l->s->eval_every == 0));
    return !due || lp_train_eval(l->run, l->s->eval, l->s->rows_a_pass, &l->eval_reader, &l->progress.eval_loss, err);
}

static bool report(struct loop *l, double ms, struct lp_error *err) {
    struct lp_train_progress *p = &l->progress;
    l->ms_a_step = l->ms_a_step > 0 ? 0.95 * l->ms_a_step + 0.05 * ms : ms;
    p->step = l->optimizer.step;
    p->steps = l->steps;
    p->tokens_per_s = 1e3 * (double)p->tokens / ms;
    p->seconds += 1e-3 * ms;
    p->seconds_left = 1e-3 * l->ms_a_step * (double)(p->steps - p->step);
    if (l->s->progress)
        l->s->progress(l->s->context, p);
    return lp_train_log_add(&l->log, p, err);
}

/* The log first: it must not know less than the checkpoint. A curve that cannot be drawn is no reason to stop. */
static bool save(struct loop *l, struct lp_error *err) {
    if (l->s->checkpoint && l->saved != l->optimizer.step) {
        if (!lp_train_log_sync(&l->log, err) ||
            !lp_checkpoint_save(l->s->checkpoint, l->model, &l->optimizer, l->note, err)) {
            l->unsaved = true;
            return false;
        }
        l->saved = l->optimizer.step;
    }
    if (l->s->curve)
        lp_train_curve(&l->log, l->s->curve, NULL);
    return true;
}

static bool run_steps(struct loop *l, struct lp_error *err) {
    if (l->optimizer.step >= l->steps)
        return save(l, err); /* only the curve may be missing */
    if (!look_ahead(l, l->optimizer.step, err))
        return false;
    while (l->optimizer.step < l->steps) {
        double began = lp_clock_ms();
        if (!step(l, l->optimizer.step, err))
            return false;
        double ms = lp_clock_ms() - began;
        if (!evaluate(l, err) || !report(l, ms, err))
            return false;
        if (!l->s->ranks)
            l->stopped = l->s->stop && *l->s->stop;
        bool due = l->s->save_every && l->optimizer.step % l->s->save_every == 0;
        if ((l->stopped || due || l->optimizer.step == l->steps) && !save(l, err))
            return false;
        if (l->stopped)
            return lp_error_set(err, LP_ECANCELED, "stopped after step %ld; the same command goes on from there",
                                (long)l->optimizer.step);
    }
    return true;
}

/* Pictures that are learnt have the room first. */
static void share_room(struct loop *l) {
    size_t one = (size_t)l->model->preprocess.crop * (size_t)l->model->preprocess.crop * 3;
    size_t learnt = (size_t)l->set->pictures * one, all = l->s->picture_bytes;
    l->reader = (struct lp_train_reader){.model = l->model, .limit = all};
    l->eval_reader = (struct lp_train_reader){.model = l->model, .limit = all > learnt ? all - learnt : 0};
}

/* All ranks begin with rank 0's weights, moments and step. */
static void share_state(struct loop *l) {
    const struct lp_ranks *ranks = l->s->ranks;
    struct lp_optimizer *o = &l->optimizer;
    for (int64_t i = 0; i < l->model->parameters.count; i++) {
        lp_tensor *x = l->model->parameters.item[i].tensor;
        if (x->learns)
            ranks->share(x->data, (int64_t)sizeof(float) * lp_count(x));
    }
    ranks->share(o->first, (int64_t)sizeof(float) * o->numbers);
    ranks->share(o->second, (int64_t)sizeof(float) * o->numbers);
    ranks->share(&o->step, sizeof o->step);
}

static bool prepare(struct loop *l, struct lp_error *err) {
    const struct lp_train_settings *s = l->s;
    l->order = lp_alloc_array((size_t)l->set->count, sizeof *l->order);
    l->now = lp_alloc_array((size_t)l->dialogues, sizeof(void *));
    l->next = lp_alloc_array((size_t)l->dialogues, sizeof(void *));
    if (!l->order || !l->now || !l->next)
        return lp_error_memory(err);
    bool found = false;
    if (!(l->run = lp_run_open(l->model->kernels, run_limit_bytes, err)) ||
        !lp_optimizer_init(&l->optimizer, l->model, err) ||
        (s->muon && !lp_optimizer_use_muon(&l->optimizer, l->model, err)) ||
        !(l->note = lp_train_note(l->model, l->set, s, l->steps, err)))
        return false;
    if (s->checkpoint) {
        lp_checkpoint_tidy(s->checkpoint);
        if (!lp_checkpoint_load(s->checkpoint, l->model, &l->optimizer, s->force ? NULL : l->note, &found, err))
            return false;
        l->saved = found ? l->optimizer.step : -1;
    }
    if (!lp_train_log_open(&l->log, s->log, l->optimizer.step, err))
        return false;
    l->progress.seconds = l->log.seconds;
    return true;
}

/* A training that fails keeps what it has: the state after the last whole step, unless numbers failed or the disk. */
static void rescue(struct loop *l, struct lp_error *err) {
    if (!l->s->checkpoint || !err || err->code == LP_ECANCELED || !l->note)
        return;
    struct lp_error was = *err, again = {0};
    if (l->optimizer.step > l->saved && l->optimizer.step > 0 && !l->spoilt && !l->unsaved)
        save(l, &again);
    if (l->saved >= 0)
        lp_error_set(err, was.code, "%s; the checkpoint of step %ld is whole: the same command%s goes on from it", was.text,
                     (long)l->saved, l->spoilt ? " with --force and a lower --rate" : "");
}

bool lp_train(struct lp_llava *model, struct lp_train_set *set, const struct lp_train_settings *s,
              struct lp_error *err) {
    if (set->count == 0)
        return lp_error_set(err, LP_EINPUT, "there is no dialogue to learn from");
    int rank = s->ranks ? s->ranks->rank : 0, ranks = s->ranks ? s->ranks->count : 1;
    if (s->batch < ranks)
        return lp_error_set(err, LP_EUSAGE, "a batch of %ld is too small for %d ranks", (long)s->batch, ranks);
    struct loop l = {.model = model, .set = set, .s = s, .epoch = -1, .saved = -1};
    l.first = s->batch * rank / ranks;
    l.batch = s->batch * (rank + 1) / ranks - l.first;
    l.dialogues = l.batch * s->accumulate;
    share_room(&l);
    l.steps = s->steps ? s->steps
                       : (int64_t)ceil(s->epochs * (double)set->count / (double)(s->batch * s->accumulate));
    bool ok = others_went_well(&l, prepare(&l, err), err);
    if (ok && s->ranks)
        share_state(&l);
    ok = ok && run_steps(&l, err);
    if (!ok)
        rescue(&l, err);
    lp_train_reader_done(&l.reader);
    lp_train_reader_done(&l.eval_reader);
    lp_train_log_close(&l.log);
    lp_run_close(l.run);
    lp_optimizer_done(&l.optimizer);
    json_decref(l.note);
    lp_free(l.order);
    lp_free(l.now);
    lp_free(l.next);
    return ok;
}
