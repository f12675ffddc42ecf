/* SPDX-License-Identifier: MIT */
/* A run: the arena's marks, views, the first error that sticks, cancellation, the limit. */
#include "op/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static lp_run *open_run(size_t limit) {
    lp_run *r = lp_run_open(lp_kernels_cpu(), limit, NULL);
    assert_non_null(r);
    return r;
}

static lp_tensor *counted(lp_run *r, int64_t rows, int64_t columns) {
    lp_tensor *x = lp_new(r, 2, rows, columns);
    for (int64_t i = 0; x && i < lp_count(x); i++)
        lp_f32(x)[i] = (float)i;
    return x;
}

static void keep_frees_all_but_one(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 20);
    lp_mark m = lp_here(r);
    counted(r, 100, 10);
    lp_tensor *x = counted(r, 3, 4);
    counted(r, 100, 10);
    x = lp_keep(r, m, x);
    for (int i = 0; i < 12; i++)
        assert_true(lp_f32(x)[i] == (float)i);
    assert_true(r->used <= m.used + 256);
    assert_true(r->peak >= 8000);
    lp_run_close(r);
}

static void keep_of_an_older_tensors_view_moves_no_data(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 20);
    lp_tensor *old = counted(r, 4, 6);
    lp_mark m = lp_here(r);
    lp_tensor *view = lp_keep(r, m, lp_view(r, old, 2, (int64_t)8, (int64_t)3));
    assert_ptr_equal(view->data, old->data);
    assert_int_equal(lp_dim(view, 0), 8);
    lp_run_close(r);
}

static void while_taping_nothing_is_freed(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 20);
    r->taping = true;
    lp_mark m = lp_here(r);
    lp_tensor *x = counted(r, 3, 4);
    size_t used = r->used;
    assert_ptr_equal(lp_keep(r, m, x), x);
    assert_int_equal(r->used, used);
    lp_run_close(r);
}

static void the_first_error_sticks_and_names_op_and_shapes(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 20);
    lp_tensor *x = counted(r, 5, 8), *w = counted(r, 8, 9);
    lp_tensor *y = lp_act(r, lp_matmul(r, x, w, NULL), LP_GELU); /* the model has no if */
    assert_null(y);
    assert_null(lp_add(r, x, w));
    struct lp_error err = {0};
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_ESHAPE);
    assert_string_equal(err.text, "matmul: x is [5,8], w is [8,9]");
    assert_true(lp_run_check(r, &err)); /* checked: clear again */
    lp_run_close(r);
}

static void a_full_arena_is_an_error(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 16);
    assert_null(lp_new(r, 2, (int64_t)1000, (int64_t)1000));
    struct lp_error err = {0};
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_EMEMORY);
    assert_null(lp_new(r, 3, INT64_MAX / 2, INT64_MAX / 2, (int64_t)8)); /* the size itself overflows */
    assert_false(lp_run_check(r, &err));
    lp_run_close(r);
}

static void cancel_stops_the_next_op(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 20);
    volatile bool cancel = false;
    r->cancel = &cancel;
    lp_tensor *x = counted(r, 2, 2);
    assert_non_null(lp_act(r, x, LP_SILU));
    cancel = true;
    assert_null(lp_act(r, x, LP_SILU));
    struct lp_error err = {0};
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_ECANCELED);
    lp_run_close(r);
}

static void a_reset_run_starts_anew(void **state) {
    (void)state;
    lp_run *r = open_run(1 << 16);
    lp_tensor *first = counted(r, 2, 2);
    lp_fail(r, LP_EINPUT, "no");
    lp_run_reset(r);
    assert_ptr_equal(counted(r, 2, 2), first);
    assert_true(lp_run_check(r, NULL));
    lp_run_close(r);
    lp_run_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_frees_all_but_one),
        cmocka_unit_test(keep_of_an_older_tensors_view_moves_no_data),
        cmocka_unit_test(while_taping_nothing_is_freed),
        cmocka_unit_test(the_first_error_sticks_and_names_op_and_shapes),
        cmocka_unit_test(a_full_arena_is_an_error),
        cmocka_unit_test(cancel_stops_the_next_op),
        cmocka_unit_test(a_reset_run_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
