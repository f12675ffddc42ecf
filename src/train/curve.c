/* SPDX-License-Identifier: MIT */
/* train/curve.c - the log's losses as a picture: each step pale, their running mean, and the held-out loss. */
#include "train/train.h"

#include "base/memory.h"
#include "image/chart.h"

#include <math.h>

enum { MOST_POINTS = 800 }; /* about the diagram's width */

/* Points of a line that are few enough to draw. */
struct line {
    double x[MOST_POINTS], y[MOST_POINTS];
    int64_t n;
};

struct lines {
    struct line each, mean, eval;
};

/* Means of stretches of steps; the running mean looks back over a fortieth of all. */
static void fill(const struct lp_train_log *log, struct lines *to) {
    double decay = 1 - 1 / fmax(1, (double)log->points / 40), sum = 0, weight = 0, stretch = 0;
    int64_t taken = 0;
    for (int64_t i = 0; i < log->points; i++) {
        const struct lp_train_point *p = &log->point[i];
        sum = decay * sum + p->loss;
        weight = decay * weight + 1;
        stretch += p->loss;
        taken++;
        bool last = i + 1 == log->points || (i + 1) * MOST_POINTS / log->points > i * MOST_POINTS / log->points;
        if (last && to->mean.n < MOST_POINTS) {
            to->each.x[to->each.n] = to->mean.x[to->mean.n] = (double)p->step;
            to->each.y[to->each.n++] = stretch / (double)taken;
            to->mean.y[to->mean.n++] = sum / weight;
            stretch = 0;
            taken = 0;
        }
    }
    int64_t evals = 0, k = 0;
    for (int64_t i = 0; i < log->points; i++)
        evals += isfinite(log->point[i].eval_loss);
    for (int64_t i = 0; i < log->points; i++) {
        const struct lp_train_point *p = &log->point[i];
        if (!isfinite(p->eval_loss))
            continue;
        k++;
        if (k * MOST_POINTS / (evals + 1) == (k - 1) * MOST_POINTS / (evals + 1))
            continue;
        to->eval.x[to->eval.n] = (double)p->step;
        to->eval.y[to->eval.n++] = p->eval_loss;
    }
}

bool lp_train_curve(const struct lp_train_log *log, const char *path, struct lp_error *err) {
    struct lines *lines = lp_alloc(sizeof *lines);
    if (!lines)
        return lp_error_memory(err);
    fill(log, lines);
    const struct lp_chart_line line[] = {
        {NULL, lines->each.x, lines->each.y, lines->each.n, {176, 200, 232}, false},
        {"learnt", lines->mean.x, lines->mean.y, lines->mean.n, {32, 90, 170}, false},
        {"held out", lines->eval.x, lines->eval.y, lines->eval.n, {214, 102, 26}, lines->eval.n <= 60},
    };
    struct lp_chart_lines chart = {"loss, nats a token", "step", line, lines->eval.n ? 3 : 2};
    struct lp_image *image = lp_chart_lines(&chart, err);
    bool ok = image && lp_image_save(image, path, err);
    lp_image_close(image);
    lp_free(lines);
    return ok;
}
