/* SPDX-License-Identifier: MIT */
/* Layers: linear, layer norm, RMS norm by hand; their names; the cache of keys and values. */
#include "kernel/portable/portable.h"
#include "nn/testing.h"

static void near(const lp_tensor *x, const float *want, int64_t n) {
    assert_non_null(x);
    assert_int_equal(lp_count(x), n);
    for (int64_t i = 0; i < n; i++)
        if (!(fabsf(lp_f32(x)[i] - want[i]) < 1e-4f))
            fail_msg("number %ld is %g, not %g", (long)i, lp_f32(x)[i], want[i]);
}

static void layers_compute(void **state) {
    (void)state;
    lp_run *r = run_open();
    lp_tensor *x = counted(r, 2, 3, 1), *w = counted(r, 2, 3, 0), *b = lp_new(r, 1, (int64_t)2);
    lp_f32(b)[0] = 10;
    lp_f32(b)[1] = 20;
    const struct lp_linear plain = {w, NULL, NULL}, biased = {w, b, NULL};
    near(lp_linear(r, &plain, x), (const float[]){8, 26, 17, 62}, 4);
    near(lp_linear(r, &biased, x), (const float[]){18, 46, 27, 82}, 4);
    lp_tensor *scale = lp_new(r, 1, (int64_t)3), *shift = lp_new(r, 1, (int64_t)3);
    for (int i = 0; i < 3; i++) {
        lp_f32(scale)[i] = 2;
        lp_f32(shift)[i] = (float)i;
    }
    const struct lp_norm layer = {scale, shift, 0}, rms = {scale, NULL, 0};
    float s = sqrtf(1.5f), m = sqrtf(3.0f / 14), k = sqrtf(3.0f / 77);
    near(lp_norm(r, &layer, x), (const float[]){-2 * s, 1, 2 + 2 * s, -2 * s, 1, 2 + 2 * s}, 6);
    near(lp_norm(r, &rms, x), (const float[]){2 * m, 4 * m, 6 * m, 8 * k, 10 * k, 12 * k}, 6);
    const struct lp_norm constant = {scale, shift, 1e-5f};
    lp_tensor *same = lp_new(r, 2, (int64_t)1, (int64_t)3);
    for (int i = 0; i < 3; i++)
        lp_f32(same)[i] = 5;
    near(lp_norm(r, &constant, same), (const float[]){0, 1, 2}, 3);
    struct lp_error err = {0};
    lp_tensor *narrow = counted(r, 2, 2, 1);
    assert_null(lp_linear(r, &plain, narrow));
    assert_null(lp_norm(r, &rms, x)); /* the first error stays */
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_ESHAPE);
    lp_run_close(r);
}

static void layers_name_their_weights(void **state) {
    (void)state;
    static const char *const names[] = {"m.up.weight", "m.up.bias", "m.down.weight", "m.ln.weight", "m.ln.bias",
                                        "m.rms.weight"};
    struct lp_arena arena = {0};
    struct lp_parameters parameters = {0};
    struct lp_rng rng;
    struct lp_error err = {0};
    struct lp_linear up, down;
    struct lp_norm layer, rms;
    lp_rng_seed(&rng, 1);
    struct lp_bind b = {.arena = &arena, .kernels = lp_kernels_find("portable"), .rng = &rng,
                        .parameters = &parameters};
    size_t out = lp_bind_enter(&b, "m");
    lp_bind_linear(&b, "up", &up, 3, 5, true);
    lp_bind_linear(&b, "down", &down, 5, 3, false);
    lp_bind_layer_norm(&b, "ln", &layer, 3, 1e-5f);
    lp_bind_rms_norm(&b, "rms", &rms, 3, 1e-6f);
    lp_bind_leave(&b, out);
    require(lp_bind_done(&b, &err), &err);
    assert_int_equal(parameters.count, 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(parameters.item[i].name, names[i]);
    assert_true(lp_dim(up.w, 0) == 5 && lp_dim(up.w, 1) == 3 && lp_dim(up.b, 0) == 5 && !down.b);
    assert_true(layer.b && !rms.b && layer.eps == 1e-5f && rms.eps == 1e-6f);
    assert_true(lp_f32(layer.w)[2] == 1 && lp_f32(layer.b)[2] == 0 && lp_f32(up.b)[4] == 0);
    lp_arena_done(&arena);
}

/* Two layers, rows in three steps, then one row too many. */
static void keep_rows_apart(enum lp_dtype type) {
    enum { WIDTH = 3, LIMIT = 6 };
    static const int64_t steps[] = {2, 1, 3};
    lp_run *r = run_open();
    struct lp_kv_cache c = {.layers = 2, .width = WIDTH, .limit = LIMIT, .type = type};
    struct lp_error err = {0};
    float wide[2][LIMIT * WIDTH];
    require(lp_kv_cache_init(&c, &err), &err);
    assert_int_equal(lp_kv_cache_row_bytes(&c), 2 * 2 * WIDTH * lp_dtype_bytes(type));
    for (int s = 0; s < 3; s++) {
        for (int64_t layer = 0; layer < 2; layer++) {
            float first = (float)(100 * layer + WIDTH * c.rows);
            lp_tensor *k = counted(r, steps[s], WIDTH, first), *v = counted(r, steps[s], WIDTH, first + 1000);
            assert_true(lp_kv_cache_append(r, &c, layer, &k, &v));
            assert_true(lp_dim(k, 0) == c.rows + steps[s] && lp_dim(v, 0) == lp_dim(k, 0) && lp_dim(k, 1) == WIDTH);
            assert_true(k->type == type && v->type == type);
            lp_portable_to_f32(wide[0], k->data, type, lp_count(k));
            lp_portable_to_f32(wide[1], v->data, type, lp_count(v));
            for (int64_t i = 0; i < lp_count(k); i++) {
                assert_true(wide[0][i] == (float)(100 * layer + i));
                assert_true(wide[1][i] == (float)(1000 + 100 * layer + i));
            }
        }
        c.rows += steps[s];
    }
    lp_tensor *k = counted(r, 1, WIDTH, 0), *v = counted(r, 1, WIDTH, 0);
    assert_false(lp_kv_cache_append(r, &c, 0, &k, &v));
    assert_false(lp_run_check(r, &err));
    assert_int_equal(err.code, LP_EINPUT);
    assert_non_null(strstr(err.text, "longer than the 6 positions"));
    c.rows = 4; /* forgetting makes room, and the rows before stay */
    k = counted(r, 2, WIDTH, -50);
    v = counted(r, 2, WIDTH, -90);
    assert_true(lp_kv_cache_append(r, &c, 1, &k, &v));
    lp_portable_to_f32(wide[0], k->data, type, lp_count(k));
    lp_portable_to_f32(wide[1], v->data, type, lp_count(v));
    assert_true(wide[0][11] == 111 && wide[0][12] == -50 && wide[1][17] == -85);
    lp_kv_cache_done(&c);
    lp_kv_cache_done(&c);
    lp_run_close(r);
}

static void the_cache_keeps_rows_apart(void **state) {
    (void)state;
    keep_rows_apart(LP_F32);
    keep_rows_apart(LP_F16);
}

static void the_cache_says_when_there_is_no_room(void **state) {
    (void)state;
    struct lp_kv_cache c = {.layers = 1000, .width = 1 << 20, .limit = 1 << 24, .type = LP_F16};
    struct lp_error err = {0};
    assert_false(lp_kv_cache_init(&c, &err));
    assert_int_equal(err.code, LP_EMEMORY);
    lp_kv_cache_done(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_compute),
        cmocka_unit_test(layers_name_their_weights),
        cmocka_unit_test(the_cache_keeps_rows_apart),
        cmocka_unit_test(the_cache_says_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
