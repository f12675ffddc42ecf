/* SPDX-License-Identifier: MIT */
/* Attention in a square of places and its windows, with what queries make of distances: against the definition, place by
 * place, with every kernel table of this machine. */
#include "op/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_D = 32 };

struct problem {
    int64_t side, window, heads, D;
    bool distances, outside;
};

struct inputs {
    lp_tensor *qkv, *outside, *rows, *columns; /* the last three may be NULL */
};

/* D numbers of head h: the query, key or value (part 0, 1 or 2) of a place, which may lie beyond the square. */
static const float *part_of(const struct problem *p, const struct inputs *in, int part, int64_t row, int64_t column, int64_t h) {
    static const float zeros[MOST_D];
    int64_t C = p->heads * p->D, at = part * C + h * p->D;
    if (row < p->side && column < p->side)
        return lp_f32(in->qkv) + (row * p->side + column) * 3 * C + at;
    return in->outside ? lp_f32(in->outside) + at : zeros;
}

static double dot(const float *a, const float *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* What the place of head h becomes: D numbers. */
static void define(const struct problem *p, const struct inputs *in, int64_t y, int64_t x, int64_t h, double *out) {
    int64_t n = p->window, top = y / n * n, left = x / n * n;
    const float *q = part_of(p, in, 0, y, x, h);
    double total = 0;
    memset(out, 0, sizeof *out * (size_t)p->D);
    for (int64_t row = top; row < top + n; row++)
        for (int64_t column = left; column < left + n; column++) {
            double score = dot(q, part_of(p, in, 1, row, column, h), p->D) / sqrt((double)p->D);
            if (p->distances)
                score += dot(q, lp_f32(in->rows) + (y - row + n - 1) * p->D, p->D) +
                         dot(q, lp_f32(in->columns) + (x - column + n - 1) * p->D, p->D);
            double weight = exp(score);
            total += weight;
            for (int64_t d = 0; d < p->D; d++)
                out[d] += weight * part_of(p, in, 2, row, column, h)[d];
        }
    for (int64_t d = 0; d < p->D; d++)
        out[d] /= total;
}

static void check(const void *problem, const struct lp_kernels *kernels) {
    const struct problem *p = problem;
    struct lp_error err = {0};
    struct lp_rng rng;
    lp_rng_seed(&rng, (uint64_t)(p->side * p->window));
    lp_run *r = lp_run_open(kernels, (size_t)64 << 20, &err);
    int64_t C = p->heads * p->D;
    struct inputs in = {.qkv = random_rows(r, &rng, p->side * p->side, 3 * C, 0.5f)};
    if (p->outside)
        in.outside = random_rows(r, &rng, 1, 3 * C, 0.5f);
    if (p->distances) {
        in.rows = random_rows(r, &rng, 2 * p->window - 1, p->D, 0.5f);
        in.columns = random_rows(r, &rng, 2 * p->window - 1, p->D, 0.5f);
    }
    lp_tensor *y = lp_grid_attention(r, in.qkv, in.outside, in.rows, in.columns, p->side, p->window, p->heads);
    if (!lp_run_check(r, &err))
        fail_msg("%s", err.text);
    for (int64_t i = 0; i < p->side * p->side * p->heads; i++) {
        double want[MOST_D];
        int64_t place = i / p->heads, h = i % p->heads;
        define(p, &in, place / p->side, place % p->side, h, want);
        for (int64_t d = 0; d < p->D; d++)
            if (!(fabs(lp_f32(y)[place * C + h * p->D + d] - want[d]) < 2e-5))
                fail_msg("%s, %ld x %ld in windows of %ld: place %ld differs", kernels->name, (long)p->side, (long)p->side,
                         (long)p->window, (long)place);
    }
    lp_run_close(r);
}

/* The whole square, windows that divide it and that do not, more places than are looked at in one go. */
static void attention_is_as_defined(void **state) {
    (void)state;
    static const struct problem problems[] = {
        {6, 6, 2, 8, true, true},   {6, 6, 2, 8, false, true}, {6, 3, 2, 8, true, true},  {7, 3, 3, 5, true, true},
        {7, 3, 3, 5, true, false},  {5, 4, 1, 32, false, true}, {3, 5, 2, 4, true, true}, {1, 1, 4, 1, true, false},
        {35, 35, 1, 4, true, true}, {20, 17, 1, 4, true, true},
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        with_each_kernels(check, &problems[i]);
}

static void other_shapes_are_refused(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_rng rng;
    lp_rng_seed(&rng, 1);
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)1 << 20, &err);
    static const struct {
        int64_t places, width, outside, distances;
    } bad[] = {{8, 12, 12, 3}, {9, 10, 12, 3}, {9, 12, 6, 3}, {9, 12, 12, 5}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lp_tensor *qkv = random_rows(r, &rng, bad[i].places, bad[i].width, 1);
        lp_tensor *outside = random_rows(r, &rng, 1, bad[i].outside, 1);
        lp_tensor *table = random_rows(r, &rng, bad[i].distances, 2, 1);
        assert_null(lp_grid_attention(r, qkv, outside, table, table, 3, 2, 2));
        assert_false(lp_run_check(r, &err));
        assert_int_equal(err.code, LP_ESHAPE);
        assert_non_null(strstr(err.text, "2 heads on windows of 2 in 3"));
        lp_run_reset(r);
    }
    lp_run_close(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_as_defined),
        cmocka_unit_test(other_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
