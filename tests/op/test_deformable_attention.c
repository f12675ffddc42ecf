/* SPDX-License-Identifier: MIT */
/* Deformable attention by example, with every kernel table of this machine, and what it, group norm and
 * softmax refuse. tests/kernel has each of their kernels on random shapes. */
#include "op/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static lp_tensor *tensor(lp_run *r, const float *data, int64_t rows, int64_t columns) {
    lp_tensor *x = lp_new(r, 2, rows, columns);
    memcpy(lp_f32(x), data, sizeof(float) * (size_t)(rows * columns));
    return x;
}

/* One query, one head of one number, two maps: 2 x 2 places and one place. Of equal weights each of the four
 * samples counts a quarter. */
static const struct lp_deform_shape two_maps = {
    .heads = 1, .levels = 2, .points = 2, .map = {{2, 2}, {1, 1}}};
static const float values[5] = {10, 20, 30, 40, 100}, equal[4] = {5, 5, 5, 5};

static void expect(const struct lp_kernels *k, const float *reference, int64_t size, const float offset[8],
                   const float weight[4], float want) {
    struct lp_error err = {0};
    lp_run *r = lp_run_open(k, (size_t)1 << 20, &err);
    lp_tensor *y = lp_deformable_attention(r, tensor(r, values, 5, 1), tensor(r, offset, 1, 8),
                                           tensor(r, weight, 1, 4), tensor(r, reference, 1, size), &two_maps);
    if (!lp_run_check(r, &err))
        fail_msg("%s", err.text);
    if (!(fabsf(lp_f32(y)[0] - want) < 1e-4f))
        fail_msg("%s: %g, not %g", k->name, lp_f32(y)[0], want);
    lp_run_close(r);
}

static void looks_where_it_chooses(void **state) {
    (void)state;
    static const char *const names[] = {"portable", "avx2", "avx512"};
    static const float middle[2] = {0.5f, 0.5f}, box[4] = {0.5f, 0.5f, 1, 0.5f};
    static const float none[8] = {0}, places[8] = {-0.5f, -0.5f, 0.5f, 0.5f, 0, 0, 9, 9},
                       halves[8] = {1, 0, 0, 2, 0, 0, 0, 0}, first[4] = {100, 0, 0, 0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct lp_kernels *k = lp_kernels_find(names[i]);
        if (!k)
            continue;
        expect(k, middle, 2, none, equal, (25 + 25 + 100 + 100) / 4.0f);
        expect(k, middle, 2, places, equal, (10 + 40 + 100 + 0) / 4.0f); /* the last lies outside */
        expect(k, middle, 2, places, first, 10);
        /* With a box an offset of 1 is half of its side over two points: a quarter of the width, an eighth of
         * the height; in the map of two places half a place to the right, and half a place down. */
        expect(k, box, 4, halves, equal, (30 + 35 + 100 + 100) / 4.0f);
    }
}

static void refuse(lp_run *r, const lp_tensor *x, const char *op) {
    struct lp_error err = {0};
    assert_null(x);
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_ESHAPE);
    assert_true(!strncmp(err.text, op, strlen(op)));
    lp_run_reset(r);
}

static void other_shapes_are_refused(void **state) {
    (void)state;
    struct lp_error err = {0};
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)1 << 20, &err);
    static const struct {
        int64_t places, offsets, weights, reference;
    } bad[] = {{4, 8, 4, 2}, {5, 4, 4, 2}, {5, 8, 8, 2}, {5, 8, 4, 3}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        static const float zeros[8] = {0};
        refuse(r,
               lp_deformable_attention(
                   r, tensor(r, zeros, bad[i].places, 1), tensor(r, zeros, 1, bad[i].offsets),
                   tensor(r, zeros, 1, bad[i].weights), tensor(r, zeros, 1, bad[i].reference), &two_maps),
               "deformable_attention: ");
    }
    lp_tensor *x = tensor(r, values, 1, 5), *w = tensor(r, values, 1, 5);
    refuse(r, lp_group_norm(r, x, w, w, 2, 1e-5f), "group_norm: ");
    lp_run_close(r);
}

/* A tape would learn nothing from them: they say so. */
static void have_no_gradient(void **state) {
    (void)state;
    struct lp_error err = {0};
    lp_run *r = lp_run_open(lp_kernels_cpu(), (size_t)1 << 20, &err);
    for (int i = 0; i < 3; i++) {
        r->taping = true;
        lp_tensor *x = tensor(r, values, 5, 1), *w = tensor(r, values, 1, 1);
        x->learns = true;
        lp_tensor *y =
            i == 0   ? lp_softmax(r, x)
            : i == 1 ? lp_group_norm(r, x, w, w, 1, 1e-5f)
                     : lp_deformable_attention(r, x, tensor(r, (const float[8]){0}, 1, 8),
                                               tensor(r, equal, 1, 4), tensor(r, equal, 1, 2), &two_maps);
        assert_null(y);
        assert_false(lp_run_check(r, &err));
        assert_int_equal(err.code, LP_EINTERNAL);
        lp_run_reset(r);
    }
    lp_run_close(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_where_it_chooses),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(have_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
