/* SPDX-License-Identifier: MIT */
/* Layer norm, RMS norm and softmax cross entropy, with their gradients; group norm; softmax. */
#include "kernel/variants.h"

static void naive_layer_norm(float *y, float *stat, const float *x, const float *w, const float *b,
                             int64_t rows, int64_t C, float eps) {
    for (int64_t r = 0; r < rows; r++, x += C, y += C) {
        double mean = 0, square = 0;
        for (int64_t c = 0; c < C; c++)
            mean += x[c] / (double)C;
        for (int64_t c = 0; c < C; c++)
            square += (x[c] - mean) * (x[c] - mean) / (double)C;
        for (int64_t c = 0; c < C; c++)
            y[c] = (float)((x[c] - mean) / sqrt(square + eps) * (w ? w[c] : 1) + (b ? b[c] : 0));
        if (stat) {
            stat[2 * r] = (float)mean;
            stat[2 * r + 1] = (float)(1 / sqrt(square + eps));
        }
    }
}

static void naive_rms_norm(float *y, float *stat, const float *x, const float *w, int64_t rows, int64_t C,
                           float eps) {
    for (int64_t r = 0; r < rows; r++, x += C, y += C) {
        double square = 0;
        for (int64_t c = 0; c < C; c++)
            square += (double)x[c] * x[c] / (double)C;
        for (int64_t c = 0; c < C; c++)
            y[c] = (float)(x[c] / sqrt(square + eps) * (w ? w[c] : 1));
        if (stat)
            stat[r] = (float)(1 / sqrt(square + eps));
    }
}

/* With n the normalised x: d n[i] / d x[j] = (i == j) s - s / C (centered) - s n[i] n[j] / C, s = 1/std or
 * 1/rms. */
static void naive_norm_grad(float *dx, float *dw, float *db, const float *dy, const float *x, const float *w,
                            const float *mean, const float *inverse, int step, int64_t rows, int64_t C) {
    for (int64_t r = 0; r < rows; r++, x += C, dy += C) {
        double s = inverse[r * step], m = mean ? mean[r * step] : 0;
        for (int64_t j = 0; j < C; j++) {
            double n = (x[j] - m) * s, sum = 0;
            for (int64_t i = 0; dx && i < C; i++)
                sum += dy[i] * (w ? w[i] : 1) *
                       ((i == j) * s - (mean ? s / (double)C : 0) - s * (x[i] - m) * s * n / (double)C);
            if (dx)
                dx[r * C + j] = (float)(dx[r * C + j] + sum);
            if (dw)
                dw[j] = (float)(dw[j] + dy[j] * n);
            if (db)
                db[j] += dy[j];
        }
    }
}

static void naive_layer_norm_grad(float *dx, float *dw, float *db, const float *dy, const float *x,
                                  const float *w, const float *stat, int64_t rows, int64_t C) {
    naive_norm_grad(dx, dw, db, dy, x, w, stat, stat + 1, 2, rows, C);
}

static void naive_rms_norm_grad(float *dx, float *dw, const float *dy, const float *x, const float *w,
                                const float *stat, int64_t rows, int64_t C) {
    naive_norm_grad(dx, dw, NULL, dy, x, w, NULL, stat, 1, rows, C);
}

static void naive_cross_entropy(float *loss, float *prob, const float *logits, const int32_t *target,
                                int64_t rows, int64_t C) {
    for (int64_t r = 0; r < rows; r++, logits += C) {
        double total = 0;
        for (int64_t c = 0; c < C; c++)
            total += exp(logits[c] - (double)logits[0]);
        for (int64_t c = 0; prob && c < C; c++)
            prob[r * C + c] = (float)(exp(logits[c] - (double)logits[0]) / total);
        loss[r] = target[r] == -100 ? 0 : (float)(log(total) + logits[0] - logits[target[r]]);
    }
}

static void naive_cross_entropy_grad(float *dlogits, const float *prob, const int32_t *target, float scale,
                                     int64_t rows, int64_t C) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < C && target[r] != -100; c++)
            dlogits[r * C + c] += scale * (prob[r * C + c] - (float)(c == target[r]));
}

static void naive_softmax(float *y, const float *x, int64_t rows, int64_t C) {
    for (int64_t r = 0; r < rows; r++) {
        double total = 0, first = x[r * C];
        for (int64_t c = 0; c < C; c++)
            total += exp(x[r * C + c] - first);
        for (int64_t c = C - 1; c >= 0; c--)
            y[r * C + c] = (float)(exp(x[r * C + c] - first) / total);
    }
}

static void naive_group_norm(float *y, const float *x, const float *w, const float *b, int64_t places,
                             int64_t C, int64_t groups, float eps) {
    for (int64_t g = 0; g < groups; g++) {
        double n = (double)(places * C / groups), mean = 0, square = 0;
        for (int64_t i = 0; i < places * C; i++)
            mean += i % C * groups / C == g ? x[i] / n : 0;
        for (int64_t i = 0; i < places * C; i++)
            square += i % C * groups / C == g ? (x[i] - mean) * (x[i] - mean) / n : 0;
        for (int64_t i = 0; i < places * C; i++)
            if (i % C * groups / C == g)
                y[i] = (float)((x[i] - mean) / sqrt(square + eps) * w[i % C] + b[i % C]);
    }
}

static const struct lp_kernels naive = {.name = "naive",
                                        .layer_norm = naive_layer_norm,
                                        .layer_norm_grad = naive_layer_norm_grad,
                                        .rms_norm = naive_rms_norm,
                                        .rms_norm_grad = naive_rms_norm_grad,
                                        .group_norm = naive_group_norm,
                                        .softmax = naive_softmax,
                                        .cross_entropy = naive_cross_entropy,
                                        .cross_entropy_grad = naive_cross_entropy_grad};

/* Rows [rows, C] with a mean and a size unlike 0 and 1, and what the gradients start from. */
struct rows {
    int64_t rows, C, n;
    float *x, *dy, *w, *b, *stat, *want_stat, *got, *want, *dw, *want_dw, *db, *want_db;
};

static struct rows random_rows(struct trial *t) {
    struct rows p = {.rows = random_size(t, 40), .C = 1 + random_size(t, 300)};
    if (t->seed % 8 == 0)
        p.rows = 600; /* enough work for several threads */
    p.n = p.rows * p.C;
    snprintf(t->shape, sizeof t->shape, "rows %d C %d", (int)p.rows, (int)p.C);
    p.x = random_floats(t, p.n);
    for (int64_t i = 0; i < p.n; i++)
        p.x[i] = p.x[i] * 3 + 2;
    p.dy = random_floats(t, p.n);
    p.w = t->seed % 3 ? random_floats(t, p.C) : NULL;
    p.b = t->seed % 3 == 1 ? random_floats(t, p.C) : NULL;
    p.stat = take(t, 2 * p.rows);
    p.want_stat = take(t, 2 * p.rows);
    p.got = random_floats(t, p.n);
    p.want = copy_of(t, p.got, p.n);
    p.dw = t->seed % 4 ? random_floats(t, p.C) : NULL;
    p.want_dw = p.dw ? copy_of(t, p.dw, p.C) : NULL;
    p.db = t->seed % 5 ? random_floats(t, p.C) : NULL;
    p.want_db = p.db ? copy_of(t, p.db, p.C) : NULL;
    return p;
}

static void compare_grads(struct trial *t, struct rows *p, const char *name) {
    expect_close(t, name, p->got, p->want, p->n, 1e-10);
    if (p->dw)
        expect_close(t, "dw", p->dw, p->want_dw, p->C, 1e-10);
    if (p->db)
        expect_close(t, "db", p->db, p->want_db, p->C, 1e-10);
}

static void layer(struct trial *t) {
    struct rows p = random_rows(t);
    t->reference->layer_norm(p.want, p.want_stat, p.x, p.w, p.b, p.rows, p.C, 1e-5f);
    t->kernels->layer_norm(p.got, NULL, p.x, p.w, p.b, p.rows, p.C, 1e-5f);
    expect_close(t, "layer_norm", p.got, p.want, p.n, 1e-10);
    t->kernels->layer_norm(p.got, p.stat, p.x, p.w, p.b, p.rows, p.C, 1e-5f);
    expect_close(t, "layer_norm", p.got, p.want, p.n, 1e-10);
    expect_close(t, "layer_norm stat", p.stat, p.want_stat, 2 * p.rows, 1e-10);
    memcpy(p.want, p.got, (size_t)p.n * sizeof(float));
    bool dx = t->seed % 7 != 0;
    t->kernels->layer_norm_grad(dx ? p.got : NULL, p.dw, p.db, p.dy, p.x, p.w, p.stat, p.rows, p.C);
    t->reference->layer_norm_grad(dx ? p.want : NULL, p.want_dw, p.want_db, p.dy, p.x, p.w, p.stat, p.rows,
                                  p.C);
    compare_grads(t, &p, "layer_norm dx");
}

static void rms(struct trial *t) {
    struct rows p = random_rows(t);
    t->reference->rms_norm(p.want, p.want_stat, p.x, p.w, p.rows, p.C, 1e-5f);
    t->kernels->rms_norm(p.got, NULL, p.x, p.w, p.rows, p.C, 1e-5f);
    expect_close(t, "rms_norm", p.got, p.want, p.n, 1e-11);
    t->kernels->rms_norm(p.got, p.stat, p.x, p.w, p.rows, p.C, 1e-5f);
    expect_close(t, "rms_norm", p.got, p.want, p.n, 1e-11);
    expect_close(t, "rms_norm stat", p.stat, p.want_stat, p.rows, 1e-11);
    p.db = NULL;
    bool dx = t->seed % 7 != 0;
    t->kernels->rms_norm_grad(dx ? p.got : NULL, p.dw, p.dy, p.x, p.w, p.stat, p.rows, p.C);
    t->reference->rms_norm_grad(dx ? p.want : NULL, p.want_dw, p.dy, p.x, p.w, p.stat, p.rows, p.C);
    compare_grads(t, &p, "rms_norm dx");
}

static void loss(struct trial *t) {
    struct rows p = random_rows(t);
    int32_t *target = (int32_t *)take(t, p.rows);
    for (int64_t r = 0; r < p.rows; r++)
        target[r] = r % 3 == 1 ? -100 : (int32_t)lp_rng_below(&t->rng, (uint32_t)p.C);
    for (int64_t i = 0; i < p.n; i++)
        p.x[i] = p.x[i] * 5 - 200; /* far from zero */
    float *prob = take(t, p.n);
    t->kernels->cross_entropy(p.stat, NULL, p.x, target, p.rows, p.C);
    t->reference->cross_entropy(p.want_stat, p.want, p.x, target, p.rows, p.C);
    expect_close(t, "loss", p.stat, p.want_stat, p.rows, 1e-10);
    t->kernels->cross_entropy(p.stat, prob, p.x, target, p.rows, p.C);
    expect_close(t, "loss", p.stat, p.want_stat, p.rows, 1e-10);
    expect_close(t, "prob", prob, p.want, p.n, 1e-10);
    memcpy(p.want, p.got, (size_t)p.n * sizeof(float));
    t->kernels->cross_entropy_grad(p.got, prob, target, 0.25f, p.rows, p.C);
    t->reference->cross_entropy_grad(p.want, prob, target, 0.25f, p.rows, p.C);
    expect_close(t, "dlogits", p.got, p.want, p.n, 1e-12);
}

static void group(struct trial *t) {
    int64_t groups = random_size(t, 8), C = groups * random_size(t, 8), places = random_size(t, 40);
    if (t->seed % 8 == 0)
        places = 100;
    snprintf(t->shape, sizeof t->shape, "%d places, C %d, %d groups", (int)places, (int)C, (int)groups);
    float *x = random_floats(t, places * C), *w = random_floats(t, C), *b = random_floats(t, C);
    float *got = take(t, places * C), *want = take(t, places * C);
    t->kernels->group_norm(got, x, w, b, places, C, groups, 1e-5f);
    t->reference->group_norm(want, x, w, b, places, C, groups, 1e-5f);
    expect_close(t, "group_norm", got, want, places * C, 1e-10);
}

static void soft(struct trial *t) {
    struct rows p = random_rows(t);
    for (int64_t i = 0; i < p.n; i++)
        p.x[i] = p.x[i] * 5 - 200; /* far from zero */
    t->reference->softmax(p.want, p.x, p.rows, p.C);
    t->kernels->softmax(p.got, p.x, p.rows, p.C);
    expect_close(t, "softmax", p.got, p.want, p.n, 1e-10);
    t->kernels->softmax(p.x, p.x, p.rows, p.C);
    expect_close(t, "softmax in place", p.x, p.want, p.n, 1e-10);
}

LP_CASE_OF(layer, 24)
LP_CASE_OF(rms, 24)
LP_CASE_OF(loss, 24)
LP_CASE_OF(group, 24)
LP_CASE_OF(soft, 24)

int main(void) {
    const struct CMUnitTest tests[] = {LP_CASES(layer, 24), LP_CASES(rms, 24), LP_CASES(loss, 24),
                                       LP_CASES(group, 24), LP_CASES(soft, 24)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
