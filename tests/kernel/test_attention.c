/* SPDX-License-Identifier: MIT */
/* Attention and its gradient. */
#include "kernel/portable/portable.h"
#include "kernel/variants.h"

static double score(const float *q, const float *k, int64_t t, int64_t s, int64_t h,
                    const struct lp_attention_shape *a) {
    double sum = 0;
    for (int64_t d = 0; d < a->D; d++)
        sum += (double)q[t * a->q_stride + h * a->D + d] * k[s * a->kv_stride + h / (a->H / a->G) * a->D + d];
    sum *= a->scale;
    if (a->row_bias)
        sum += (double)a->row_bias[(t * a->H + h) * (a->S / a->columns) + s / a->columns] +
               a->column_bias[(t * a->H + h) * a->columns + s % a->columns];
    return sum;
}

static int64_t visible(const struct lp_attention_shape *a, int64_t t) {
    return a->causal ? a->S - a->T + t + 1 : a->S;
}

static void naive_attention(float *out, float *lse, const float *q, const float *k, const float *v,
                            const struct lp_attention_shape *a) {
    double *p = lp_alloc_array((size_t)a->S, sizeof *p);
    for (int64_t t = 0; t < a->T; t++)
        for (int64_t h = 0; h < a->H; h++) {
            double total = 0;
            for (int64_t s = 0; s < visible(a, t); s++)
                total += p[s] = exp(score(q, k, t, s, h, a));
            for (int64_t d = 0; d < a->D; d++) {
                double sum = 0;
                for (int64_t s = 0; s < visible(a, t); s++)
                    sum += p[s] * v[s * a->kv_stride + h / (a->H / a->G) * a->D + d];
                out[(t * a->H + h) * a->D + d] = total > 0 ? (float)(sum / total) : 0;
            }
            if (lse)
                lse[t * a->H + h] = (float)log(total);
        }
    lp_free(p);
}

static void naive_attention_grad(float *dq, float *dk, float *dv, const float *dout, const float *out,
                                 const float *lse, const float *q, const float *k, const float *v,
                                 const struct lp_attention_shape *a) {
    for (int64_t t = 0; t < a->T; t++)
        for (int64_t h = 0; h < a->H; h++)
            for (int64_t s = 0; s < visible(a, t); s++) {
                int64_t g = h / (a->H / a->G), key = s * a->kv_stride + g * a->D,
                        query = t * a->q_stride + h * a->D;
                int64_t row = (t * a->H + h) * a->D;
                double p = exp(score(q, k, t, s, h, a) - lse[t * a->H + h]), dp = 0;
                for (int64_t d = 0; d < a->D; d++)
                    dp += dout[row + d] * ((double)v[key + d] - out[row + d]);
                for (int64_t d = 0; d < a->D; d++) {
                    if (dq)
                        dq[query + d] += (float)(p * dp * a->scale * k[key + d]);
                    if (dk)
                        dk[key + d] += (float)(p * dp * a->scale * q[query + d]);
                    if (dv)
                        dv[key + d] += (float)(p * dout[row + d]);
                }
            }
}

static const struct lp_kernels naive = {
    .name = "naive", .attention = naive_attention, .attention_grad = naive_attention_grad};

struct problem {
    struct lp_attention_shape a;
    float *q, *k, *v;
    int64_t q_size, kv_size, out_size;
};

static struct problem random_problem(struct trial *t, int64_t T, int64_t S) {
    static const int dims[] = {1, 4, 7, 16, 24, 32, 64, 80, 96};
    struct problem p = {.a = {.T = T, .S = S, .causal = t->seed % 2}};
    struct lp_attention_shape *a = &p.a;
    a->G = 1 + lp_rng_below(&t->rng, 3);
    a->H = a->G * (1 + lp_rng_below(&t->rng, 3));
    a->D = dims[lp_rng_below(&t->rng, sizeof dims / sizeof *dims)];
    a->q_stride = a->H * a->D + lp_rng_below(&t->rng, 5);
    a->kv_stride = a->G * a->D + lp_rng_below(&t->rng, 5);
    a->scale = 1 / sqrtf((float)a->D);
    p.q_size = T * a->q_stride;
    p.kv_size = S * a->kv_stride;
    p.out_size = T * a->H * a->D;
    p.q = random_floats(t, p.q_size);
    p.k = random_floats(t, p.kv_size);
    p.v = random_floats(t, p.kv_size);
    snprintf(t->shape, sizeof t->shape, "T %d S %d H %d G %d D %d causal %d", (int)T, (int)S, (int)a->H,
             (int)a->G, (int)a->D, a->causal);
    return p;
}

static void compare_forward(struct trial *t, struct problem p, float *out, float *lse) {
    /* rounding to bfloat16: a relative error up to 2^-9 of each factor */
    double tolerance = p.a.rough && rounds(t) ? 1e-4 : 1e-11;
    float *want = take(t, p.out_size), *want_lse = take(t, p.a.T * p.a.H);
    t->kernels->attention(out, lse, p.q, p.k, p.v, &p.a);
    t->reference->attention(want, want_lse, p.q, p.k, p.v, &p.a);
    expect_close(t, "attention", out, want, p.out_size, tolerance);
    if (lse)
        expect_close(t, "lse", lse, want_lse, p.a.T * p.a.H, tolerance);
}

static void forward(struct trial *t) {
    int64_t T = random_size(t, 70), S = random_size(t, 300);
    struct problem p = random_problem(t, T, S);
    compare_forward(t, p, random_floats(t, p.out_size), t->seed % 3 ? random_floats(t, T * p.a.H) : NULL);
}

/* Keys on a grid, scores with what rows and columns of it add. */
static void on_a_grid(struct trial *t) {
    int64_t T = random_size(t, 70), rows = 1 + lp_rng_below(&t->rng, 20), columns = 1 + lp_rng_below(&t->rng, 20);
    struct problem p = random_problem(t, T, rows * columns);
    p.a.causal = false;
    p.a.columns = columns;
    p.a.row_bias = random_floats(t, T * p.a.H * rows);
    p.a.column_bias = random_floats(t, T * p.a.H * columns);
    compare_forward(t, p, random_floats(t, p.out_size), t->seed % 3 ? random_floats(t, T * p.a.H) : NULL);
}

/* Factors may be rounded: leftovers of a few queries, odd numbers of keys, heads that share keys. */
static void rough(struct trial *t) {
    struct problem p = random_problem(t, random_size(t, 70), random_size(t, 300));
    p.a.rough = true;
    compare_forward(t, p, random_floats(t, p.out_size), t->seed % 3 ? random_floats(t, p.a.T * p.a.H) : NULL);
}

static void rough_on_a_grid(struct trial *t) {
    int64_t T = random_size(t, 70), rows = 1 + lp_rng_below(&t->rng, 20), columns = 1 + lp_rng_below(&t->rng, 20);
    struct problem p = random_problem(t, T, rows * columns);
    p.a.rough = true;
    p.a.causal = false;
    p.a.columns = columns;
    p.a.row_bias = random_floats(t, T * p.a.H * rows);
    p.a.column_bias = random_floats(t, T * p.a.H * columns);
    compare_forward(t, p, random_floats(t, p.out_size), t->seed % 3 ? random_floats(t, T * p.a.H) : NULL);
}

/* More than one thread and more than one part of a head's queries. */
static void rough_large(struct trial *t) {
    struct problem p = random_problem(t, 100 + random_size(t, 70), 150);
    p.a.rough = true;
    compare_forward(t, p, random_floats(t, p.out_size), random_floats(t, p.a.T * p.a.H));
}

/* Scores far from zero must not overflow. */
static void extreme(struct trial *t) {
    struct problem p = random_problem(t, t->seed % 2 ? 2 : 40, 150);
    p.a.scale *= 60;
    p.a.rough = t->seed % 4 < 2;
    struct lp_attention_shape *a = &p.a;
    float *out = random_floats(t, p.out_size), *want = take(t, p.out_size);
    t->kernels->attention(out, NULL, p.q, p.k, p.v, a);
    t->reference->attention(want, NULL, p.q, p.k, p.v, a);
    for (int64_t i = 0; i < p.out_size; i++)
        assert_true(isfinite(out[i]));
    if (strcmp(t->reference->name, "naive"))
        expect_close(t, "attention", out, want, p.out_size, p.a.rough ? 1e-2 : 1e-8);
}

static void compare_backward(struct trial *t, struct problem p) {
    float *out = take(t, p.out_size), *lse = take(t, p.a.T * p.a.H), *dout = random_floats(t, p.out_size);
    compare_forward(t, p, out, lse);
    float *start[3] = {random_floats(t, p.q_size), random_floats(t, p.kv_size), random_floats(t, p.kv_size)};
    float *got[3], *want[3], *again[3];
    int64_t size[3] = {p.q_size, p.kv_size, p.kv_size};
    for (int i = 0; i < 3; i++) {
        bool wanted = t->seed % 4 != (unsigned)i + 1;
        got[i] = wanted ? copy_of(t, start[i], size[i]) : NULL;
        again[i] = wanted ? copy_of(t, start[i], size[i]) : NULL;
        want[i] = wanted ? copy_of(t, start[i], size[i]) : NULL;
    }
    t->kernels->attention_grad(got[0], got[1], got[2], dout, out, lse, p.q, p.k, p.v, &p.a);
    t->kernels->attention_grad(again[0], again[1], again[2], dout, out, lse, p.q, p.k, p.v, &p.a);
    t->reference->attention_grad(want[0], want[1], want[2], dout, out, lse, p.q, p.k, p.v, &p.a);
    static const char *const names[] = {"dq", "dk", "dv"};
    for (int i = 0; i < 3; i++)
        if (got[i]) {
            expect_close(t, names[i], got[i], want[i], size[i], 1e-10);
            assert_memory_equal(got[i], again[i], (size_t)size[i] * sizeof(float));
        }
}

static void backward(struct trial *t) {
    int64_t T = random_size(t, 70), S = random_size(t, 150);
    compare_backward(t, random_problem(t, T, S));
}

/* Keys and values in float16: as the naive attention over the same numbers. */
static void kept_in_half(struct trial *t) {
    struct problem p = random_problem(t, random_size(t, 6), random_size(t, 300));
    uint16_t *k = (uint16_t *)(void *)take(t, p.kv_size), *v = (uint16_t *)(void *)take(t, p.kv_size);
    float *out = random_floats(t, p.out_size), *want = take(t, p.out_size);
    lp_portable_from_f32(k, p.k, LP_F16, p.kv_size);
    lp_portable_from_f32(v, p.v, LP_F16, p.kv_size);
    lp_portable_to_f32(p.k, k, LP_F16, p.kv_size);
    lp_portable_to_f32(p.v, v, LP_F16, p.kv_size);
    t->kernels->attention_half(out, p.q, k, v, &p.a);
    naive_attention(want, NULL, p.q, p.k, p.v, &p.a);
    expect_close(t, "attention over float16", out, want, p.out_size, 1e-11);
}

LP_CASE_OF(forward, 40)
LP_CASE_OF(kept_in_half, 40)
LP_CASE_OF(on_a_grid, 30)
LP_CASE_OF(rough, 60)
LP_CASE_OF(rough_on_a_grid, 30)
LP_CASE_OF(rough_large, 2)
LP_CASE_OF(extreme, 4)
LP_CASE_OF(backward, 24)

int main(void) {
    const struct CMUnitTest tests[] = {LP_CASES(forward, 40),         LP_CASES(kept_in_half, 40), LP_CASES(on_a_grid, 30),
                                       LP_CASES(rough, 60),           LP_CASES(rough_on_a_grid, 30),
                                       LP_CASES(rough_large, 2),      LP_CASES(extreme, 4),       LP_CASES(backward, 24)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
