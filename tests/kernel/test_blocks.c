/* SPDX-License-Identifier: MIT */
/* GGML's blocks: reading them as GGUF defines it, making them as well as GGML does. */
#include "base/memory.h"
#include "kernel/kernel.h"
#include "weights/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum lp_dtype types[] = {LP_Q8_0, LP_Q4_0, LP_Q4_K, LP_Q6_K};
static const char *const names[LP_DTYPES] = {
    [LP_Q8_0] = "q8_0", [LP_Q4_0] = "q4_0", [LP_Q4_K] = "q4_K", [LP_Q6_K] = "q6_K"};
enum { TYPES = 4 };

static struct lp_weights *golden;
static const struct lp_kernels *kernels;

static int open_golden(void **state) {
    (void)state;
    kernels = lp_kernels_find("portable");
    golden = lp_weights_open_file(LP_TESTS_DIR "/golden/blocks/golden.safetensors", NULL);
    return !golden;
}

static int close_golden(void **state) {
    (void)state;
    lp_weights_close(golden);
    return 0;
}

static const struct lp_weight *find(enum lp_dtype type, const char *what) {
    char name[32];
    snprintf(name, sizeof name, "%s.%s", names[type], what);
    const struct lp_weight *w = lp_weights_find(golden, name);
    assert_non_null(w);
    return w;
}

static void sizes(void **state) {
    (void)state;
    assert_int_equal(lp_dtype_row_bytes(LP_F32, 5), 20);
    assert_int_equal(lp_dtype_row_bytes(LP_BF16, 5), 10);
    assert_int_equal(lp_dtype_row_bytes(LP_Q8_0, 64), 68);
    assert_int_equal(lp_dtype_row_bytes(LP_Q4_0, 32), 18);
    assert_int_equal(lp_dtype_row_bytes(LP_Q4_K, 512), 288);
    assert_int_equal(lp_dtype_row_bytes(LP_Q6_K, 256), 210);
    assert_int_equal(lp_dtype_row_bytes(LP_Q6_K, 257), 420);
    assert_int_equal(lp_dtype_row_bytes(LP_Q4_0, 0), 0);
}

static void read_as_defined(void **state) {
    (void)state;
    for (int i = 0; i < TYPES; i++) {
        const struct lp_weight *blocks = find(types[i], "blocks"), *values = find(types[i], "values");
        int64_t n = values->dim[0] * values->dim[1];
        assert_int_equal(blocks->bytes, lp_dtype_row_bytes(types[i], n));
        float *got = lp_alloc_array((size_t)n, sizeof *got);
        kernels->to_f32(got, blocks->data, types[i], n);
        assert_memory_equal(got, values->data, values->bytes);
        int32_t id[3] = {2, 0, 2};
        int64_t C = values->dim[1];
        kernels->gather(got, blocks->data, types[i], id, 3, C);
        for (int row = 0; row < 3; row++)
            assert_memory_equal(got + row * C, (const float *)values->data + id[row] * C,
                                (size_t)C * sizeof *got);
        lp_free(got);
    }
}

/* Mean square error of what blocks say over the mean square of x. */
static double error_of(const void *blocks, enum lp_dtype type, const float *x, int64_t n) {
    double error = 0, size = 0;
    float *got = lp_alloc_array((size_t)n, sizeof *got);
    kernels->to_f32(got, blocks, type, n);
    for (int64_t i = 0; i < n; i++) {
        error += ((double)got[i] - x[i]) * ((double)got[i] - x[i]);
        size += (double)x[i] * x[i];
    }
    lp_free(got);
    return size > 0 ? error / size : error;
}

/* The types without a search are the same bytes; those with one are as good all together, and not far off on
 * any kind of rows: what they minimise is a weighted error. */
static void made_as_well(void **state) {
    (void)state;
    const struct lp_weight *input = lp_weights_find(golden, "input");
    const float *x = input->data;
    int64_t rows = input->dim[0], C = input->dim[1];
    for (int i = 0; i < TYPES; i++) {
        enum lp_dtype type = types[i];
        const struct lp_weight *reference = find(type, "reference");
        uint8_t *blocks = lp_alloc(reference->bytes);
        kernels->from_f32(blocks, x, type, rows * C);
        if (type == LP_Q8_0 || type == LP_Q4_0)
            assert_memory_equal(blocks, reference->data, reference->bytes);
        double sum_ours = 0, sum_theirs = 0;
        for (int64_t r = 0; r < rows; r += 4) {
            int64_t at = lp_dtype_row_bytes(type, r * C);
            double ours = error_of(blocks + at, type, x + r * C, 4 * C);
            double theirs = error_of((const uint8_t *)reference->data + at, type, x + r * C, 4 * C);
            sum_ours += ours;
            sum_theirs += theirs;
            if (!(ours <= 1.01 * theirs))
                fail_msg("%s, rows from %d: error %.4g, GGML's is %.4g", names[type], (int)r, ours, theirs);
        }
        assert_true(sum_ours <= sum_theirs);
        lp_free(blocks);
    }
}

/* A number that is not finite makes its block NaN and no other; extreme ones are written and read. */
static void odd_numbers(void **state) {
    (void)state;
    enum { N = 1024 };
    static const float odd[] = {NAN,   INFINITY, -INFINITY, 3e38f,   -3e38f,
                                1e30f, 1e-30f,   1e-40f,    -1e-45f, -0.0f};
    float x[N], got[N];
    uint8_t blocks[4 * N];
    for (int i = 0; i < TYPES; i++)
        for (size_t o = 0; o < sizeof odd / sizeof *odd; o++) {
            for (int k = 0; k < N; k++)
                x[k] = k < 512 ? (k % 7 == 3 ? odd[o] : 0) : (float)(k % 5) - 2;
            kernels->from_f32(blocks, x, types[i], N);
            kernels->to_f32(got, blocks, types[i], N);
            for (int k = 0; k < 512; k++)
                assert_true(isfinite(odd[o]) ? isfinite(got[k]) : isnan(got[k]));
            for (int k = 512; k < N; k++)
                assert_true(fabsf(got[k] - x[k]) < 0.3f);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(read_as_defined),
                                       cmocka_unit_test(made_as_well), cmocka_unit_test(odd_numbers)};
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
