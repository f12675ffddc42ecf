/* SPDX-License-Identifier: MIT */
/* train/optimizer.c - AdamW over all parameters that learn, Loshchilov, Hutter 2019, arXiv:1711.05101, or Muon for the
 * matrices of blocks (muon.c) and AdamW for the rest. Norm weights and biases do not decay. */
#include "train/train.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static bool by_muon(const struct lp_optimizer *o, const struct lp_parameter *p) {
    return o->room && lp_muon_learns(p);
}

bool lp_optimizer_init(struct lp_optimizer *o, struct lp_llava *model, struct lp_error *err) {
    *o = (struct lp_optimizer){0};
    for (int64_t i = 0; i < model->parameters.count; i++)
        if (model->parameters.item[i].tensor->learns)
            o->numbers += lp_count(model->parameters.item[i].tensor);
    o->data = lp_alloc_array((size_t)o->numbers, 3 * sizeof *o->data);
    if (!o->data)
        return lp_error_memory(err);
    o->gradient = o->data;
    o->first = o->data + o->numbers;
    o->second = o->first + o->numbers;
    for (int64_t i = 0, at = 0; i < model->parameters.count; i++) {
        lp_tensor *x = model->parameters.item[i].tensor;
        x->grad = x->learns ? o->gradient + at : NULL;
        if (!x->learns)
            continue;
        at += lp_count(x);
    }
    return true;
}

bool lp_optimizer_use_muon(struct lp_optimizer *o, const struct lp_llava *model, struct lp_error *err) {
    int64_t most = 1;
    for (int64_t i = 0; i < model->parameters.count; i++) {
        const struct lp_parameter *p = &model->parameters.item[i];
        int64_t room = lp_muon_learns(p) ? lp_muon_room(p->tensor) : 0;
        most = room > most ? room : most;
    }
    o->room = lp_alloc_array((size_t)most, sizeof *o->room);
    return o->room || lp_error_memory(err);
}

void lp_optimizer_done(struct lp_optimizer *o) {
    lp_free(o->room);
    lp_free(o->data);
    *o = (struct lp_optimizer){0};
}

double lp_train_rate(const struct lp_train_settings *s, int64_t step, int64_t steps) {
    double warm = s->warm_up * (double)steps, t = (double)step + 1;
    if (t < warm)
        return s->rate * t / warm;
    double done = (t - warm) / ((double)steps - warm + 1);
    return s->rate * 0.5 * (1 + cos(3.14159265358979 * done));
}

/* Each rank finds the directions of its share of the matrices, into their gradients; then all have them all. */
static void find_directions(struct lp_optimizer *o, struct lp_llava *model, struct lp_ranks *ranks, float scale) {
    int64_t number = 0;
    for (int64_t i = 0, at = 0; i < model->parameters.count; i++) {
        const struct lp_parameter *p = &model->parameters.item[i];
        const lp_tensor *x = p->tensor;
        if (by_muon(o, p)) {
            if (!ranks || number++ % ranks->count == ranks->rank)
                lp_muon_direction(model->kernels, x, o->first + at, scale, o->room);
            else
                memset(x->grad, 0, sizeof *x->grad * (size_t)lp_count(x));
            if (ranks)
                ranks->sum_floats(x->grad, lp_count(x));
        }
        at += x->learns ? lp_count(x) : 0;
    }
}

double lp_optimizer_step(struct lp_optimizer *o, struct lp_llava *model, const struct lp_train_settings *s,
                         double rate, int64_t count) {
    const struct lp_kernels *k = model->kernels;
    double mean = count ? 1 / (double)count : 0, norm = mean * sqrt(k->sum_squares(o->gradient, o->numbers));
    double scale = s->clip > 0 && norm > s->clip ? mean * s->clip / norm : mean;
    if (!isfinite(norm))
        return norm;
    o->step++;
    if (o->room)
        find_directions(o, model, s->ranks, (float)scale);
    for (int64_t i = 0, at = 0; i < model->parameters.count; i++) {
        lp_tensor *x = model->parameters.item[i].tensor;
        if (!x->learns)
            continue;
        struct lp_adamw_step step = {(float)rate, 0.9f, (float)s->beta2, 1e-8f,
                                     x->ndim > 1 ? (float)s->decay : 0, o->step, (float)scale};
        if (by_muon(o, &model->parameters.item[i]))
            lp_muon_apply(k, x, rate, s->decay);
        else
            k->adamw(lp_f32(x), o->first + at, o->second + at, x->grad, lp_count(x), &step);
        at += lp_count(x);
    }
    memset(o->gradient, 0, sizeof(float) * (size_t)o->numbers);
    return norm;
}
