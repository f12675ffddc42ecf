/* SPDX-License-Identifier: MIT */
/* Maps at another size. */
#include "kernel/variants.h"

/* How much output i of n_out takes of input j of n_in: a tent over each input, the outermost ones level to
 * the border and beyond. */
static double share(int64_t i, int64_t out, int64_t j, int64_t in) {
    double at = (double)in / (double)out * ((double)i + 0.5) - 0.5;
    at = fmin(fmax(at, 0), (double)(in - 1));
    return fmax(1 - fabs(at - (double)j), 0);
}

static void naive_resize(float *y, const float *x, const struct lp_resize_shape *s) {
    for (int64_t m = 0; m < s->n; m++)
        for (int64_t i = 0; i < s->H; i++)
            for (int64_t j = 0; j < s->W; j++) {
                double sum = 0;
                for (int64_t k = 0; k < s->h; k++)
                    for (int64_t l = 0; l < s->w; l++)
                        sum += share(i, s->H, k, s->h) * share(j, s->W, l, s->w) *
                               x[m * s->x_map + k * s->x_row + l];
                y[(m * s->H + i) * s->W + j] = (float)sum;
            }
}

static void naive_resize_grad(float *dx, const float *dy, const struct lp_resize_shape *s) {
    for (int64_t m = 0; m < s->n; m++)
        for (int64_t k = 0; k < s->h; k++)
            for (int64_t l = 0; l < s->w; l++) {
                double sum = 0;
                for (int64_t i = 0; i < s->H; i++)
                    for (int64_t j = 0; j < s->W; j++)
                        sum += share(i, s->H, k, s->h) * share(j, s->W, l, s->w) *
                               dy[(m * s->H + i) * s->W + j];
                dx[m * s->x_map + k * s->x_row + l] += (float)sum;
            }
}

static const struct lp_kernels naive = {
    .name = "naive", .resize_bilinear = naive_resize, .resize_bilinear_grad = naive_resize_grad};

/* Rows with room behind them, as callers cut them. */
static void resize(struct trial *t) {
    struct lp_resize_shape s = {.n = random_size(t, 3),
                                .h = random_size(t, 20),
                                .w = random_size(t, 20),
                                .H = random_size(t, 33),
                                .W = random_size(t, 300)};
    s.x_row = s.w + lp_rng_below(&t->rng, 4);
    s.x_map = s.x_row * (s.h + lp_rng_below(&t->rng, 3));
    snprintf(t->shape, sizeof t->shape, "%d of %d x %d to %d x %d", (int)s.n, (int)s.h, (int)s.w, (int)s.H,
             (int)s.W);
    int64_t from = s.n * s.x_map, to = s.n * s.H * s.W;
    float *x = random_floats(t, from), *dy = random_floats(t, to), *got = take(t, to), *want = take(t, to);
    t->kernels->resize_bilinear(got, x, &s);
    t->reference->resize_bilinear(want, x, &s);
    expect_close(t, "resize", got, want, to, 1e-10);
    uint8_t *positive = (uint8_t *)take(t, (to + 3) / 4);
    t->kernels->positive_bilinear(positive, x, &s);
    for (int64_t i = 0; i < to; i++) /* within rounding of 0 either is right */
        assert_true(positive[i] == (want[i] > 0) || fabsf(want[i]) < 1e-5F);
    float *dx = copy_of(t, x, from), *want_dx = copy_of(t, x, from);
    t->kernels->resize_bilinear_grad(dx, dy, &s);
    t->reference->resize_bilinear_grad(want_dx, dy, &s);
    expect_close(t, "resize, gradient", dx, want_dx, from, 1e-10);
}

/* Of the size of photographs, in which threads share rows and columns. */
static void large_mask(struct trial *t) {
    struct lp_resize_shape s = {.n = 2, .h = 9, .w = 7, .x_row = 7, .x_map = 63, .H = random_size(t, 400), .W = random_size(t, 3000)};
    int64_t to = s.n * s.H * s.W;
    snprintf(t->shape, sizeof t->shape, "to %d x %d", (int)s.H, (int)s.W);
    float *x = random_floats(t, s.n * s.x_map), *value = take(t, to);
    uint8_t *positive = (uint8_t *)take(t, (to + 3) / 4);
    t->kernels->resize_bilinear(value, x, &s);
    t->kernels->positive_bilinear(positive, x, &s);
    for (int64_t i = 0; i < to; i++)
        assert_true(positive[i] == (value[i] > 0) || fabsf(value[i]) < 1e-5F);
}

LP_CASE_OF(resize, 40)
LP_CASE_OF(large_mask, 3)

int main(void) {
    const struct CMUnitTest tests[] = {LP_CASES(resize, 40), LP_CASES(large_mask, 3)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
