/* SPDX-License-Identifier: MIT */
/* The matrix products and sums over rows. */
#include "kernel/variants.h"

static void naive_nt(float *y, const float *x, const void *w, enum lp_dtype type, const float *bias,
                     int64_t M, int64_t N, int64_t K) {
    float *row = lp_alloc_array((size_t)K + 1, sizeof *row);
    for (int64_t n = 0; n < N; n++) {
        lp_kernels_find("portable")->to_f32(row, (const char *)w + n * K * lp_dtype_bytes(type), type, K);
        for (int64_t m = 0; m < M; m++) {
            double sum = bias ? bias[n] : 0;
            for (int64_t k = 0; k < K; k++)
                sum += (double)x[m * K + k] * row[k];
            y[m * N + n] = (float)sum;
        }
    }
    lp_free(row);
}

static void naive_nn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K, bool add) {
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = add ? y[m * N + n] : 0;
            for (int64_t k = 0; k < K; k++)
                sum += (double)x[m * K + k] * w[k * N + n];
            y[m * N + n] = (float)sum;
        }
}

static void naive_tn(float *y, const float *x, const float *w, int64_t M, int64_t N, int64_t K) {
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = y[m * N + n];
            for (int64_t k = 0; k < K; k++)
                sum += (double)x[k * M + m] * w[k * N + n];
            y[m * N + n] = (float)sum;
        }
}

static void naive_sum_rows(float *y, const float *x, int64_t M, int64_t N) {
    for (int64_t n = 0; n < N; n++) {
        double sum = y[n];
        for (int64_t m = 0; m < M; m++)
            sum += x[m * N + n];
        y[n] = (float)sum;
    }
}

static const struct lp_kernels naive = {.name = "naive",
                                        .matmul_nt = naive_nt,
                                        .matmul_nn = naive_nn,
                                        .matmul_tn = naive_tn,
                                        .sum_rows = naive_sum_rows};

struct shape {
    int64_t M, N, K;
};

static struct shape random_shape(struct trial *t, int most) {
    struct shape s = {random_size(t, most), random_size(t, most), random_size(t, most)};
    snprintf(t->shape, sizeof t->shape, "M %d N %d K %d", (int)s.M, (int)s.N, (int)s.K);
    return s;
}

/* bf16 of many rows may round x to bf16, whose relative error is up to 2^-9. */
static double tolerance_of(const struct trial *t, enum lp_dtype type) {
    return type == LP_BF16 && rounds(t) ? 2e-5 : 1e-11;
}

static void compare_nt(struct trial *t, struct shape s, enum lp_dtype type, bool with_bias) {
    float *x = random_floats(t, s.M * s.K), *w = random_floats(t, s.N * s.K), *bias = random_floats(t, s.N);
    float *got = random_floats(t, s.M * s.N), *want = copy_of(t, got, s.M * s.N), *half = take(t, s.N * s.K);
    t->kernels->from_f32(half, w, type, s.N * s.K);
    t->kernels->matmul_nt(got, x, half, type, with_bias ? bias : NULL, s.M, s.N, s.K);
    t->reference->matmul_nt(want, x, half, type, with_bias ? bias : NULL, s.M, s.N, s.K);
    static const char *const names[] = {"matmul_nt f32", "matmul_nt f16", "matmul_nt bf16"};
    expect_close(t, names[type], got, want, s.M * s.N, tolerance_of(t, type));
}

/* Weights may be rounded as well. */
static void compare_rough(struct trial *t, struct shape s, enum lp_dtype type, bool with_bias) {
    float *x = random_floats(t, s.M * s.K), *w = random_floats(t, s.N * s.K), *bias = random_floats(t, s.N);
    float *got = random_floats(t, s.M * s.N), *want = take(t, s.M * s.N), *stored = take(t, s.N * s.K);
    t->kernels->from_f32(stored, w, type, s.N * s.K);
    t->kernels->matmul_rough(got, x, stored, type, with_bias ? bias : NULL, s.M, s.N, s.K);
    t->reference->matmul_nt(want, x, stored, type, with_bias ? bias : NULL, s.M, s.N, s.K);
    expect_close(t, "matmul_rough", got, want, s.M * s.N, tolerance_of(t, LP_BF16));
}

static void rough(struct trial *t) {
    compare_rough(t, random_shape(t, 130), (enum lp_dtype)(t->seed % 3), t->seed % 2);
}

static void nt(struct trial *t) {
    struct shape s = random_shape(t, 130);
    compare_nt(t, s, (enum lp_dtype)(t->seed % 3), t->seed % 2);
}

/* Over more than one block of K and of rows, and enough work for several threads. */
static void nt_large(struct trial *t) {
    static const struct shape shapes[] = {
        {30, 70, 4200}, {2100, 33, 18}, {13, 34, 2055}, {5, 600, 120}, {1, 2000, 137}};
    struct shape s = shapes[t->seed % 5];
    snprintf(t->shape, sizeof t->shape, "M %d N %d K %d", (int)s.M, (int)s.N, (int)s.K);
    compare_nt(t, s, (enum lp_dtype)(t->seed / 5 % 3), t->seed % 2);
    compare_rough(t, s, (enum lp_dtype)(t->seed / 5 % 3), t->seed % 2);
}

static void compare_gradients(struct trial *t, struct shape s) {
    float *x = random_floats(t, s.M * s.K), *w = random_floats(t, s.N * s.K);
    float *got = random_floats(t, s.M * s.N), *want = copy_of(t, got, s.M * s.N);
    bool add = t->seed % 2;
    t->kernels->matmul_nn(got, x, w, s.M, s.N, s.K, add);
    t->reference->matmul_nn(want, x, w, s.M, s.N, s.K, add);
    expect_close(t, "matmul_nn", got, want, s.M * s.N, 1e-11);
    t->kernels->matmul_tn(got, x, w, s.M, s.N, s.K);
    t->reference->matmul_tn(want, x, w, s.M, s.N, s.K);
    expect_close(t, "matmul_tn", got, want, s.M * s.N, 1e-11);
    t->kernels->sum_rows(got, x, s.M, s.K < s.N ? s.K : s.N);
    t->reference->sum_rows(want, x, s.M, s.K < s.N ? s.K : s.N);
    expect_close(t, "sum_rows", got, want, s.K < s.N ? s.K : s.N, 1e-11);
    t->kernels->matmul_nn_rough(got, x, w, s.M, s.N, s.K, add);
    t->reference->matmul_nn(want, x, w, s.M, s.N, s.K, add);
    expect_close(t, "matmul_nn_rough", got, want, s.M * s.N, tolerance_of(t, LP_BF16));
    t->kernels->matmul_tn_rough(got, x, w, s.M, s.N, s.K);
    t->reference->matmul_tn(want, x, w, s.M, s.N, s.K);
    expect_close(t, "matmul_tn_rough", got, want, s.M * s.N, tolerance_of(t, LP_BF16));
}

static void gradients(struct trial *t) {
    compare_gradients(t, random_shape(t, 130));
}

static void gradients_large(struct trial *t) {
    static const struct shape shapes[] = {{2100, 33, 17}, {40, 35, 2100}, {33, 300, 37}};
    struct shape s = shapes[t->seed % 3];
    snprintf(t->shape, sizeof t->shape, "M %d N %d K %d", (int)s.M, (int)s.N, (int)s.K);
    compare_gradients(t, s);
}

/* The same inputs, threads included: the same bits. */
static void repeatable(struct trial *t) {
    struct shape s = {100, 90, 1100};
    snprintf(t->shape, sizeof t->shape, "two runs");
    float *x = random_floats(t, s.M * s.K), *w = random_floats(t, s.N * s.K);
    for (int type = 0; type < 3; type++) {
        float *first = take(t, s.M * s.N), *second = take(t, s.M * s.N), *half = take(t, s.N * s.K);
        t->kernels->from_f32(half, w, (enum lp_dtype)type, s.N * s.K);
        t->kernels->matmul_nt(first, x, half, (enum lp_dtype)type, NULL, s.M, s.N, s.K);
        t->kernels->matmul_nt(second, x, half, (enum lp_dtype)type, NULL, s.M, s.N, s.K);
        assert_memory_equal(first, second, (size_t)(s.M * s.N) * sizeof *first);
        t->kernels->matmul_nn(first, x, w, s.M, s.N, s.K, false);
        t->kernels->matmul_nn(second, x, w, s.M, s.N, s.K, false);
        assert_memory_equal(first, second, (size_t)(s.M * s.N) * sizeof *first);
    }
}

/* Nothing to sum over: zeros, or the bias. */
static void empty(struct trial *t) {
    float *y = random_floats(t, 6), bias[3] = {1, 2, 3}, want[6] = {1, 2, 3, 1, 2, 3};
    t->kernels->matmul_nt(y, y, y, LP_F32, bias, 2, 3, 0);
    assert_memory_equal(y, want, sizeof want);
    t->kernels->matmul_nn(y, y, y, 2, 3, 0, true);
    t->kernels->matmul_tn(y, y, y, 2, 3, 0);
    t->kernels->matmul_nt(y, y, y, LP_F32, NULL, 0, 3, 5);
    t->kernels->matmul_nn(y, y, y, 2, 0, 5, false);
    assert_memory_equal(y, want, sizeof want);
    t->kernels->matmul_nn(y, y, y, 2, 3, 0, false);
    memset(want, 0, sizeof want);
    assert_memory_equal(y, want, sizeof want);
}

LP_CASE_OF(nt, 45)
LP_CASE_OF(rough, 45)
LP_CASE_OF(nt_large, 15)
LP_CASE_OF(gradients, 30)
LP_CASE_OF(gradients_large, 3)
LP_CASE_OF(repeatable, 1)
LP_CASE_OF(empty, 1)

int main(void) {
    const struct CMUnitTest tests[] = {LP_CASES(nt, 45),        LP_CASES(rough, 45),     LP_CASES(nt_large, 15),
                                       LP_CASES(gradients, 30), LP_CASES(gradients_large, 3),
                                       LP_CASES(repeatable, 1), LP_CASES(empty, 1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
