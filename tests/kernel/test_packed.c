/* SPDX-License-Identifier: MIT */
/* Products with weights of block types and of float16, as rows and packed. */
#include "kernel/variants.h"

#include <pthread.h>

static const enum lp_dtype types[] = {LP_Q8_0, LP_Q4_0, LP_Q4_K, LP_Q6_K, LP_F16};
static const char *const names[LP_DTYPES] = {
    [LP_F16] = "f16", [LP_Q8_0] = "q8_0", [LP_Q4_0] = "q4_0", [LP_Q4_K] = "q4_K", [LP_Q6_K] = "q6_K"};
enum { TYPES = 5, BLOCK_TYPES = 4 };

/* A matrix as rows of blocks, as the floats these stand for, and packed. */
struct matrix {
    enum lp_dtype type;
    int64_t N, K;
    float *floats;
    void *rows;
    struct lp_packed packed;
};

static struct matrix random_matrix(struct trial *t, enum lp_dtype type, int64_t N, int64_t K) {
    struct matrix w = {
        .type = type, .N = N, .K = K, .floats = random_floats(t, N * K), .rows = take(t, N * K)};
    t->kernels->from_f32(w.rows, w.floats, type, N * K);
    t->kernels->to_f32(w.floats, w.rows, type, N * K);
    int64_t bytes = t->kernels->packed_bytes(type, N, K);
    assert_int_equal(bytes, (N + 15) / 16 * 16 * lp_dtype_row_bytes(type, K));
    uint8_t *data = (uint8_t *)take(t, bytes / 4 + 1) + t->seed % 4; /* at any address */
    t->kernels->pack(data, w.rows, type, N, K);
    w.packed = (struct lp_packed){type, N, K, data};
    return w;
}

/* x as 8-bit codes and scales say it; beside float16 it stays as it is. */
static const float *rounded(struct trial *t, const float *x, int64_t n, enum lp_dtype type) {
    int group = type == LP_Q6_K ? 16 : 32;
    if (type == LP_F16)
        return x;
    float *y = take(t, n);
    for (int64_t i = 0; i < n; i += group) {
        float most = 0;
        for (int j = 0; j < group; j++)
            most = fmaxf(most, fabsf(x[i + j]));
        for (int j = 0; j < group; j++)
            y[i + j] = most > 0 ? nearbyintf(x[i + j] * (127 / most)) * (most / 127) : 0;
    }
    return y;
}

/* Many rows are multiplied as pairs of bf16: of blocks and x both rounded, of float16 both split in two. */
static bool by_pairs(const struct trial *t, int64_t M) {
    return !strcmp(t->kernels->name, "amx") && M >= 32;
}

static const float *as_bf16(struct trial *t, const float *x, int64_t n) {
    uint16_t *half = (uint16_t *)take(t, n);
    float *y = take(t, n);
    t->reference->from_f32(half, x, LP_BF16, n);
    t->reference->to_f32(y, half, LP_BF16, n);
    return y;
}

static void plain_product(float *y, const float *x, const float *w, const float *bias, int64_t M, int64_t N,
                          int64_t K) {
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n < N; n++) {
            double sum = bias ? bias[n] : 0;
            for (int64_t k = 0; k < K; k++)
                sum += (double)x[m * K + k] * w[n * K + k];
            y[m * N + n] = (float)sum;
        }
}

static void name_shape(struct trial *t, const struct matrix *w, int64_t M) {
    snprintf(t->shape, sizeof t->shape, "%s M %d N %d K %d", names[w->type], (int)M, (int)w->N, (int)w->K);
}

/* Products of one kind. */
static void multiply_all(const struct lp_kernels *k, const struct lp_product *p, int count, const float *x, int64_t M) {
    (p->w.type == LP_F16 ? k->matmul_packed_half : k->matmul_packed)(p, count, x, M);
}

static void multiply(const struct lp_kernels *k, float *y, const float *x, const struct lp_packed *w,
                     const float *bias, int64_t M) {
    multiply_all(k, &(struct lp_product){y, *w, bias}, 1, x, M);
}

static const struct lp_kernels naive = {.name = "formula"};

/* Against the formula (portable, and where blocks are rounded to bf16), or against portable. */
static void compare(struct trial *t, const struct matrix *w, int64_t M, bool with_bias) {
    bool pairs = by_pairs(t, M), halves = w->type == LP_F16;
    float *x = random_floats(t, M * w->K), *bias = with_bias ? random_floats(t, w->N) : NULL;
    float *got = random_floats(t, M * w->N), *want = take(t, M * w->N);
    name_shape(t, w, M);
    multiply(t->kernels, got, x, &w->packed, bias, M);
    if (pairs && !halves)
        plain_product(want, as_bf16(t, x, M * w->K), as_bf16(t, w->floats, w->N * w->K), bias, M, w->N, w->K);
    else if (t->reference == &naive)
        plain_product(want, rounded(t, x, M * w->K, w->type), w->floats, bias, M, w->N, w->K);
    else
        multiply(t->reference, want, x, &w->packed, bias, M);
    double tolerance = 1e-11;
    if (pairs && halves)
        tolerance = 1e-10;
    else if (pairs && w->type == LP_Q4_K) /* its numbers are rounded once more: a few become another bf16 */
        tolerance = 1e-8;
    expect_close(t, "matmul_packed", got, want, M * w->N, tolerance);
}

static void packed(struct trial *t) {
    enum lp_dtype type = types[t->seed % TYPES];
    int64_t block = lp_dtype_block(type),
            K = block * (1 + (int64_t)lp_rng_below(&t->rng, block > 32 ? 3 : block > 1 ? 12 : 200));
    struct matrix w = random_matrix(t, type, random_size(t, 100), K);
    compare(t, &w, random_size(t, 40), t->seed / TYPES % 2);
}

/* More than one slab, several threads, more panels of x than one. */
static void packed_large(struct trial *t) {
    static const int rows[] = {1, 7, 33, 200};
    static const int64_t sizes[][2] = {{40, 2304}, {77, 256}, {16, 4352}};
    int64_t i = t->seed % 3;
    struct matrix w = random_matrix(t, types[t->seed % TYPES], sizes[i][0], sizes[i][1]);
    for (int j = 0; j < 4; j++)
        compare(t, &w, rows[j], j % 2);
}

/* Every count of rows of x has code of its own; columns may be left over. */
static void few_rows(struct trial *t) {
    enum lp_dtype type = types[t->seed % TYPES];
    struct matrix w = random_matrix(t, type, 37, type == LP_F16 ? 523 : 512);
    for (int64_t M = 1; M <= 14; M++)
        compare(t, &w, M, false);
}

static double error_of(const float *got, const float *want, int64_t n) {
    double error = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
        error += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    return error / size;
}

/* Against the product of the floats that were quantised: the error of the blocks, and that of x's rounding,
 * whose relative mean square is about 2.5e-5. */
static void close_to_floats(struct trial *t) {
    enum { M = 33, N = 50, K = 1024 };
    enum lp_dtype type = types[t->seed % TYPES];
    struct matrix w = random_matrix(t, type, N, K);
    float *exact = random_floats(t, N * K), *x = random_floats(t, M * K);
    t->kernels->from_f32(w.rows, exact, type, N * K);
    t->kernels->to_f32(w.floats, w.rows, type, N * K);
    t->kernels->pack((void *)w.packed.data, w.rows, type, N, K);
    float *want = take(t, M * N), *straight = take(t, M * N), *got = take(t, M * N);
    plain_product(want, x, exact, NULL, M, N, K);
    t->kernels->matmul_nt(straight, x, w.rows, type, NULL, M, N, K);
    multiply(t->kernels, got, x, &w.packed, NULL, M);
    double most = error_of(straight, want, M * N) * 1.02 + 4e-5, error = error_of(got, want, M * N);
    if (!(error <= most))
        fail_msg("%s %s: error %.4g, allowed %.4g", t->kernels->name, names[type], error, most);
}

/* Rows of blocks as they are: multiplied as the floats they stand for. */
static void as_rows(struct trial *t) {
    enum lp_dtype type = types[t->seed % TYPES];
    int64_t M = random_size(t, 20), N = random_size(t, 40), K = 512 + 256 * (t->seed % 3);
    struct matrix w = random_matrix(t, type, N, K);
    float *x = random_floats(t, M * K), *bias = random_floats(t, N), *got = take(t, M * N),
          *want = take(t, M * N);
    name_shape(t, &w, M);
    t->kernels->matmul_nt(got, x, w.rows, type, bias, M, N, K);
    plain_product(want, x, w.floats, bias, M, N, K);
    expect_close(t, "matmul_nt", got, want, M * N, 1e-11);
}

/* Rows come out of a packed table as they went in. */
static void rows_of_packed(struct trial *t) {
    enum lp_dtype type = types[t->seed % TYPES];
    struct matrix w = random_matrix(t, type, 21, 768);
    int32_t id[] = {20, 0, 7, 16, 15, 20};
    enum { IDS = sizeof id / sizeof *id };
    float *got = take(t, IDS * w.K), *want = take(t, IDS * w.K);
    t->kernels->gather_packed(got, &w.packed, id, IDS);
    t->kernels->gather(want, w.rows, type, id, IDS, w.K);
    assert_memory_equal(got, want, (size_t)(IDS * w.K) * sizeof *got);
}

/* Blocks: an infinity or a NaN in a row of x makes that row of y NaN or infinite, and no other; what is too
 * small counts as zero. */
static void odd_x(struct trial *t) {
    enum { M = 37, N = 20, K = 256 };
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1e-38f, 1e-45f};
    struct matrix w = random_matrix(t, types[t->seed % BLOCK_TYPES], N, K);
    float *x = random_floats(t, M * K), *y = take(t, M * N);
    for (int i = 0; i < 5; i++) {
        for (int64_t rows = 5; rows <= M; rows += M - 5) {
            for (int k = 0; k < K; k++)
                x[2 * K + k] = k == 40 ? odd[i] : 0;
            multiply(t->kernels, y, x, &w.packed, NULL, rows);
            for (int64_t j = 0; j < rows * N; j++)
                assert_true(j / N == 2 ? (isfinite(odd[i]) ? y[j] == 0 : !isfinite(y[j])) : isfinite(y[j]));
        }
    }
}

static void limits(struct trial *t) {
    const struct lp_kernels *k = t->kernels;
    assert_int_equal(k->packed_bytes(LP_Q4_0, 1, 32), 16 * 18);
    assert_int_equal(k->packed_bytes(LP_F16, 17, 3), 2 * 16 * 3 * 2);
    assert_int_equal(k->packed_bytes(LP_F16, INT64_MAX, 3), 0);
    assert_int_equal(k->packed_bytes(LP_F16, 16, 0), 0);
    assert_int_equal(k->packed_bytes(LP_F32, 16, 32), 0);
    assert_int_equal(k->packed_bytes(LP_BF16, 16, 32), 0);
    assert_int_equal(k->packed_bytes(LP_Q4_K, 16, 32), 0);
    assert_int_equal(k->packed_bytes(LP_Q4_0, 0, 32), 0);
    assert_int_equal(k->packed_bytes(LP_Q4_0, 16, -32), 0);
    assert_int_equal(k->packed_bytes(LP_Q8_0, INT64_MAX, 32), 0);
    assert_int_equal(k->packed_bytes(LP_Q8_0, (int64_t)1 << 40, (int64_t)1 << 40), 0);
    struct matrix w = random_matrix(t, LP_Q4_0, 3, 32), half = random_matrix(t, LP_F16, 3, 32);
    float y[3] = {7, 7, 7};
    multiply(k, y, y, &w.packed, NULL, 0);
    multiply(k, y, y, &half.packed, NULL, 0);
    assert_true(y[0] == 7);
}

/* Products of one x made together have the bits of products made one by one. */
static void together(struct trial *t) {
    enum { K = 768 };
    static const int64_t rows[] = {1, 3, 9, 33}, sizes[LP_PRODUCTS] = {200, 16, 33, 1};
    struct lp_product p[LP_PRODUCTS];
    float *x = random_floats(t, 33 * K), *want = take(t, 33 * 200);
    for (int i = 0; i < LP_PRODUCTS; i++) {
        enum lp_dtype type = t->seed % 4 ? types[lp_rng_below(&t->rng, BLOCK_TYPES)] : LP_F16;
        struct matrix w = random_matrix(t, type, sizes[i], K);
        p[i] = (struct lp_product){take(t, 33 * sizes[i]), w.packed, i % 2 ? random_floats(t, sizes[i]) : NULL};
    }
    for (int j = 0; j < 4; j++) {
        multiply_all(t->kernels, p, LP_PRODUCTS, x, rows[j]);
        for (int i = 0; i < LP_PRODUCTS; i++) {
            multiply(t->kernels, want, x, &p[i].w, p[i].bias, rows[j]);
            assert_memory_equal(p[i].y, want, (size_t)(rows[j] * sizes[i]) * sizeof *want);
        }
    }
}

/* A row of many has the same bits whatever rows are beside it. */
static void other_rows(struct trial *t) {
    enum { M = 111, FIRST = 60, N = 50 };
    struct matrix w = random_matrix(t, types[t->seed % TYPES], N, 2304);
    float *x = random_floats(t, M * w.K), *all = take(t, M * N), *part = take(t, M * N);
    multiply(t->kernels, all, x, &w.packed, NULL, M);
    multiply(t->kernels, part, x, &w.packed, NULL, FIRST);
    multiply(t->kernels, part + FIRST * N, x + FIRST * w.K, &w.packed, NULL, M - FIRST);
    assert_memory_equal(all, part, sizeof *all * M * N);
}

struct task {
    struct trial *t;
    const struct matrix *w;
    const float *x;
    float *y;
    bool without_memory;
};

static void *run_task(void *p) {
    struct task *task = p;
    if (task->without_memory)
        lp_test_fail_alloc(1);
    multiply(task->t->kernels, task->y, task->x, &task->w->packed, NULL, 40);
    lp_test_fail_alloc(0);
    return NULL;
}

/* On fresh threads, which have no working memory yet: all the same; and the same bits each time. */
static void without_memory(struct trial *t) {
    struct matrix w = random_matrix(t, types[t->seed % TYPES], 70, 768);
    float *x = random_floats(t, 40 * w.K), *y[3];
    name_shape(t, &w, 40);
    for (int i = 0; i < 3; i++) {
        y[i] = take(t, 40 * w.N);
        struct task task = {t, &w, x, y[i], i == 2};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, run_task, &task), 0);
        pthread_join(thread, NULL);
    }
    assert_memory_equal(y[0], y[1], (size_t)(40 * w.N) * sizeof **y);
    expect_close(t, "without memory", y[2], y[0], 40 * w.N, by_pairs(t, 40) ? 1e-4 : 1e-11);
}

LP_CASE_OF(packed, 75)
LP_CASE_OF(packed_large, 15)
LP_CASE_OF(few_rows, 5)
LP_CASE_OF(close_to_floats, 5)
LP_CASE_OF(as_rows, 15)
LP_CASE_OF(rows_of_packed, 5)
LP_CASE_OF(odd_x, 4)
LP_CASE_OF(limits, 1)
LP_CASE_OF(together, 12)
LP_CASE_OF(other_rows, 5)
LP_CASE_OF(without_memory, 5)

int main(void) {
    const struct CMUnitTest tests[] = {
        LP_CASES(packed, 75),         LP_CASES(packed_large, 15), LP_CASES(few_rows, 5),
        LP_CASES(close_to_floats, 5), LP_CASES(as_rows, 15),      LP_CASES(rows_of_packed, 5),
        LP_CASES(odd_x, 4),           LP_CASES(limits, 1),        LP_CASES(without_memory, 5),
        LP_CASES(together, 12),       LP_CASES(other_rows, 5)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
