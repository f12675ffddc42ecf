/* SPDX-License-Identifier: MIT */
/* Windows of a map, shifted or not, and attention within them: against the definition, place by place, with
 * every kernel table of this machine. */
#include "op/rows.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct problem {
    int64_t H, W, side, shift, heads, D;
};

/* Row `place` of x [H*W,C]; zeros where the place (row, column) lies beyond the map. */
static const float *at(const struct problem *p, const lp_tensor *x, int64_t row, int64_t column) {
    static const float zeros[64];
    return row < p->H && column < p->W ? lp_f32(x) + (row * p->W + column) * lp_dim(x, -1) : zeros;
}

/* Whether two places along an axis share a window and lie on the same side of the map's border. */
static bool meet(int64_t a, int64_t b, int64_t length, int64_t side, int64_t shift) {
    int64_t whole = (length + side - 1) / side * side;
    a = (a + whole - shift) % whole;
    b = (b + whole - shift) % whole;
    return a / side == b / side && (a >= whole - shift) == (b >= whole - shift);
}

/* What place (y, x) of head h becomes: D numbers. */
static void define(const struct problem *p, const lp_tensor *q, const lp_tensor *k, const lp_tensor *v,
                   const lp_tensor *table, int64_t y, int64_t x, int64_t h, double *out) {
    double total = 0;
    memset(out, 0, sizeof *out * (size_t)p->D);
    int64_t high = (p->H + p->side - 1) / p->side * p->side, wide = (p->W + p->side - 1) / p->side * p->side;
    for (int64_t i = 0; i < high * wide; i++) {
        int64_t row = i / wide, column = i % wide;
        if (!meet(y, row, p->H, p->side, p->shift) || !meet(x, column, p->W, p->side, p->shift))
            continue;
        double score = 0;
        for (int64_t d = h * p->D; d < (h + 1) * p->D; d++)
            score += (double)at(p, q, y, x)[d] * at(p, k, row, column)[d];
        int64_t distance = (y - row + p->side - 1) * (2 * p->side - 1) + x - column + p->side - 1;
        double weight = exp(score / sqrt((double)p->D) + lp_f32(table)[distance * p->heads + h]);
        total += weight;
        for (int64_t d = 0; d < p->D; d++)
            out[d] += weight * at(p, v, row, column)[h * p->D + d];
    }
    for (int64_t d = 0; d < p->D; d++)
        out[d] /= total;
}

static void check(const void *problem, const struct lp_kernels *kernels) {
    const struct problem *p = problem;
    struct lp_error err = {0};
    struct lp_rng rng;
    lp_rng_seed(&rng, (uint64_t)(p->H * p->W));
    lp_run *r = lp_run_open(kernels, (size_t)64 << 20, &err);
    int64_t C = p->heads * p->D, size = 2 * p->side - 1;
    lp_tensor *x[3], *cut[3], *table = random_rows(r, &rng, size * size, p->heads, 1);
    for (int i = 0; i < 3; i++) {
        x[i] = random_rows(r, &rng, p->H * p->W, C, 1);
        cut[i] = lp_windows(r, x[i], p->H, p->W, p->side, p->shift);
    }
    struct lp_window_settings s = {p->heads, p->side, (p->H + p->side - 1) / p->side,
                                   (p->W + p->side - 1) / p->side, p->shift};
    lp_tensor *y = lp_window_attention(r, cut[0], cut[1], cut[2], table, &s);
    y = lp_unwindows(r, y, p->H, p->W, p->side, p->shift);
    if (!lp_run_check(r, &err))
        fail_msg("%s", err.text);
    for (int64_t i = 0; i < p->H * p->W * p->heads; i++) {
        double want[64];
        int64_t place = i / p->heads, h = i % p->heads;
        define(p, x[0], x[1], x[2], table, place / p->W, place % p->W, h, want);
        for (int64_t d = 0; d < p->D; d++)
            if (!(fabs(at(p, y, place / p->W, place % p->W)[h * p->D + d] - want[d]) < 2e-5))
                fail_msg("%s, %ld x %ld in windows of %ld, shifted by %ld: place %ld differs", kernels->name,
                         (long)p->H, (long)p->W, (long)p->side, (long)p->shift, (long)place);
    }
    lp_run_close(r);
}

/* Whole windows and cut ones, one window larger than the map, a map of one place; head sizes off the lanes.
 */
static void attention_is_as_defined(void **state) {
    (void)state;
    static const struct problem problems[] = {
        {8, 12, 4, 0, 2, 8}, {8, 12, 4, 2, 2, 8},  {9, 5, 4, 2, 3, 5},  {15, 22, 7, 3, 1, 32},
        {3, 2, 7, 3, 2, 4},  {3, 20, 12, 6, 2, 7}, {5, 5, 5, 2, 1, 16}, {1, 1, 3, 1, 4, 1},
        {6, 4, 1, 0, 2, 3},  {13, 1, 2, 1, 2, 9},
    };
    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        with_each_kernels(check, &problems[i]);
}

/* Each refusal names the shapes. */
static void other_shapes_are_refused(void **state) {
    (void)state;
    struct lp_error err = {0};
    struct lp_rng rng;
    lp_rng_seed(&rng, 1);
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)1 << 20, &err);
    struct lp_window_settings good = {.heads = 2, .side = 2, .rows = 1, .columns = 2, .shift = 1};
    struct {
        int64_t rows, columns, distances, shift;
    } bad[] = {{7, 6, 9, 1}, {8, 5, 9, 1}, {8, 6, 8, 1}, {8, 6, 9, 2}, {8, 6, 9, -1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct lp_window_settings s = good;
        s.shift = bad[i].shift;
        lp_tensor *x = random_rows(r, &rng, bad[i].rows, bad[i].columns, 1);
        assert_null(lp_window_attention(r, x, x, x, random_rows(r, &rng, bad[i].distances, 2, 1), &s));
        assert_false(lp_run_check(r, &err));
        assert_int_equal(err.code, LP_ESHAPE);
        assert_non_null(strstr(err.text, "2 windows of side 2"));
        lp_run_reset(r);
    }
    lp_tensor *x = random_rows(r, &rng, 6, 2, 1);
    assert_null(lp_windows(r, x, 2, 3, 2, 2));
    assert_false(lp_run_check(r, &err));
    assert_string_equal(err.text, "windows: windows of 2 do not shift by 2");
    lp_run_close(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_as_defined),
        cmocka_unit_test(other_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
