/* SPDX-License-Identifier: MIT */
/* Kernels that treat numbers alone, rope, the optimizer, tables of rows, and stored numbers. */
#include "kernel/variants.h"

static void naive_add(float *y, const float *a, const float *b, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)((double)a[i] + b[i]);
}

static void naive_add_scaled(float *y, const float *x, float scale, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(y[i] + (double)scale * x[i]);
}

static double act_value(double x, enum lp_act kind) {
    if (kind == LP_GELU)
        return x * 0.5 * erfc(-x / sqrt(2));
    if (kind == LP_RELU)
        return fmax(x, 0);
    return x / (1 + exp(-(kind == LP_QUICK_GELU ? 1.702 : 1) * x));
}

/* By central differences: another way than the kernels'. */
static double act_slope(double x, enum lp_act kind) {
    return (act_value(x + 1e-5, kind) - act_value(x - 1e-5, kind)) / 2e-5;
}

static void naive_act(float *y, const float *x, enum lp_act kind, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)act_value(x[i], kind);
}

static void naive_act_grad(float *dx, const float *dy, const float *x, enum lp_act kind, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        dx[i] = (float)(dx[i] + dy[i] * act_slope(x[i], kind));
}

static void naive_swiglu(float *y, const float *gate, const float *up, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(act_value(gate[i], LP_SILU) * up[i]);
}

static void naive_swiglu_grad(float *dgate, float *dup, const float *dy, const float *gate, const float *up,
                              int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (dgate)
            dgate[i] = (float)(dgate[i] + (double)dy[i] * up[i] * act_slope(gate[i], LP_SILU));
        if (dup)
            dup[i] = (float)(dup[i] + dy[i] * act_value(gate[i], LP_SILU));
    }
}

static void naive_adamw(float *w, float *m, float *v, const float *grad, int64_t n,
                        const struct lp_adamw_step *s) {
    for (int64_t i = 0; i < n; i++) {
        double g = (double)grad[i] * s->grad_scale;
        double m1 = s->beta1 * (double)m[i] + (1 - (double)s->beta1) * g;
        double v1 = s->beta2 * (double)v[i] + (1 - (double)s->beta2) * g * g;
        double by =
            m1 / (1 - pow(s->beta1, (double)s->t)) / (sqrt(v1 / (1 - pow(s->beta2, (double)s->t))) + s->eps);
        m[i] = (float)m1;
        v[i] = (float)v1;
        w[i] = (float)(w[i] - s->rate * ((double)s->decay * w[i] + by));
    }
}

static double naive_sum_squares(const float *x, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

/* Angles rounded to float32, as the interface says. */
static void naive_rope(float *y, const float *x, const int32_t *position, int64_t T, int64_t H, int64_t D,
                       float theta, float sign, bool add) {
    for (int64_t i = 0; i < D / 2; i++) {
        float frequency = 1 / powf(theta, (float)(2 * i) / (float)D);
        for (int64_t t = 0; t < T; t++)
            for (int64_t h = 0; h < H; h++) {
                int64_t at = (t * H + h) * D + i;
                float angle = (float)position[t] * frequency;
                double c = cos(angle), s = sign * sin(angle), a = x[at], b = x[at + D / 2];
                y[at] = (float)((add ? y[at] : 0) + a * c - b * s);
                y[at + D / 2] = (float)((add ? y[at + D / 2] : 0) + b * c + a * s);
            }
    }
}

static const struct lp_kernels naive = {.name = "naive",
                                        .add = naive_add,
                                        .add_scaled = naive_add_scaled,
                                        .act = naive_act,
                                        .act_grad = naive_act_grad,
                                        .swiglu = naive_swiglu,
                                        .swiglu_grad = naive_swiglu_grad,
                                        .adamw = naive_adamw,
                                        .sum_squares = naive_sum_squares,
                                        .rope = naive_rope};

static int64_t length(struct trial *t) {
    int64_t n = t->seed % 8 ? random_size(t, 300) : 20000 + lp_rng_below(&t->rng, 300);
    snprintf(t->shape, sizeof t->shape, "n %d", (int)n);
    return n;
}

static void sums(struct trial *t) {
    int64_t n = length(t);
    float *a = random_floats(t, n), *b = random_floats(t, n), *got = take(t, n), *want = take(t, n);
    t->kernels->add(got, a, b, n);
    t->reference->add(want, a, b, n);
    t->kernels->add(got, got, b, n); /* in place */
    t->reference->add(want, want, b, n);
    t->kernels->add_scaled(got, a, -0.7f, n);
    t->reference->add_scaled(want, a, -0.7f, n);
    expect_close(t, "add", got, want, n, 1e-12);
    double squares = t->kernels->sum_squares(a, n), wanted = t->reference->sum_squares(a, n);
    if (!(fabs(squares - wanted) <= 1e-6 * wanted))
        fail_msg("sum_squares %.9g, wanted %.9g, n %d", squares, wanted, (int)n);
}

static void activations(struct trial *t) {
    int64_t n = length(t);
    enum lp_act kind = (enum lp_act)(t->seed % 4);
    float *x = random_floats(t, n), *dy = random_floats(t, n), *got = random_floats(t, n);
    for (int64_t i = 0; i < n; i++)
        x[i] *= t->seed % 2 ? 1 : 20; /* far into both tails */
    float *want = copy_of(t, got, n);
    t->kernels->act_grad(got, dy, x, kind, n);
    t->reference->act_grad(want, dy, x, kind, n);
    expect_close(t, "act_grad", got, want, n, 1e-11);
    t->kernels->act(got, x, kind, n);
    t->reference->act(want, x, kind, n);
    expect_close(t, "act", got, want, n, 1e-12);
    const float ends[4] = {-200, 200, -1e30f, 1e30f};
    float out[4];
    t->kernels->act(out, ends, kind, 4);
    assert_true(out[0] == 0 && out[1] == 200 && out[2] == 0 && out[3] == 1e30f);
}

static void gated(struct trial *t) {
    int64_t n = length(t);
    float *gate = random_floats(t, n), *up = random_floats(t, n), *dy = random_floats(t, n);
    float *got[2] = {random_floats(t, n), random_floats(t, n)},
          *want[2] = {copy_of(t, got[0], n), copy_of(t, got[1], n)};
    bool one = t->seed % 3 == 0, two = t->seed % 3 != 1;
    t->kernels->swiglu_grad(one ? NULL : got[0], two ? got[1] : NULL, dy, gate, up, n);
    t->reference->swiglu_grad(one ? NULL : want[0], two ? want[1] : NULL, dy, gate, up, n);
    expect_close(t, "swiglu dgate", got[0], want[0], n, 1e-11);
    expect_close(t, "swiglu dup", got[1], want[1], n, 1e-11);
    t->kernels->swiglu(got[0], gate, up, n);
    t->reference->swiglu(want[0], gate, up, n);
    expect_close(t, "swiglu", got[0], want[0], n, 1e-12);
}

static void optimizer(struct trial *t) {
    int64_t n = length(t);
    struct lp_adamw_step step = {0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, 1, 0.5f};
    float *w = random_floats(t, n), *m = take(t, n), *v = take(t, n);
    float *w2 = copy_of(t, w, n), *m2 = take(t, n), *v2 = take(t, n);
    for (; step.t <= 3; step.t++) {
        float *grad = random_floats(t, n);
        t->kernels->adamw(w, m, v, grad, n, &step);
        t->reference->adamw(w2, m2, v2, grad, n, &step);
    }
    expect_close(t, "adamw w", w, w2, n, 1e-11);
    expect_close(t, "adamw m", m, m2, n, 1e-11);
    expect_close(t, "adamw v", v, v2, n, 1e-9);
}

static void positions(struct trial *t) {
    int64_t T = random_size(t, 20), H = random_size(t, 4), D = 2 * random_size(t, 80), n = T * H * D;
    int32_t *at = (int32_t *)take(t, T);
    snprintf(t->shape, sizeof t->shape, "T %d H %d D %d", (int)T, (int)H, (int)D);
    for (int64_t i = 0; i < T; i++)
        at[i] = (int32_t)lp_rng_below(&t->rng, 5000);
    float *x = random_floats(t, n), *got = random_floats(t, n), *want = copy_of(t, got, n);
    float sign = t->seed % 2 ? 1.0f : -1.0f;
    bool add = t->seed / 2 % 2;
    t->kernels->rope(got, x, at, T, H, D, 10000, sign, add);
    t->reference->rope(want, x, at, T, H, D, 10000, sign, add);
    expect_close(t, "rope", got, want, n, 1e-11);
    t->kernels->rope(x, x, at, T, H, D, 10000, 1, false); /* in place */
    t->kernels->rope(x, x, at, T, H, D, 10000, -1, false);
    t->kernels->rope(got, x, at, T, H, D, 10000, 1, false);
    t->reference->rope(want, x, at, T, H, D, 10000, 1, false);
    expect_close(t, "rope", got, want, n, 1e-11);
}

static void tables(struct trial *t) {
    int64_t rows = random_size(t, 50), C = random_size(t, 200), n = random_size(t, 60);
    float *table = random_floats(t, rows * C), *dy = random_floats(t, n * C), *got = take(t, n * C);
    int32_t *id = (int32_t *)take(t, n);
    for (int64_t i = 0; i < n; i++)
        id[i] = (int32_t)lp_rng_below(&t->rng, (uint32_t)rows);
    t->kernels->gather(got, table, LP_F32, id, n, C);
    for (int64_t i = 0; i < n; i++)
        assert_memory_equal(got + i * C, table + id[i] * C, (size_t)C * sizeof(float));
    uint16_t *half = (uint16_t *)take(t, rows * C);
    float *wide = take(t, rows * C), *row = take(t, C);
    for (enum lp_dtype type = LP_F16; type <= LP_BF16; type++) {
        t->kernels->from_f32(half, table, type, rows * C);
        t->kernels->to_f32(wide, half, type, rows * C);
        t->kernels->gather(row, half, type, id, 1, C);
        assert_memory_equal(row, wide + id[0] * C, (size_t)C * sizeof(float));
    }
    float *sum = copy_of(t, table, rows * C);
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < C; c++)
            sum[id[i] * C + c] += dy[i * C + c];
    t->kernels->scatter_add(table, dy, id, n, C);
    assert_memory_equal(table, sum, (size_t)(rows * C) * sizeof(float));
}

/* All 65536 stored numbers: to float32 and back; halfway cases go to the even neighbour. */
static void stored(struct trial *t) {
    enum { ALL = 65536 };
    uint16_t *all = (uint16_t *)take(t, ALL), *back = (uint16_t *)take(t, ALL);
    float *wide = take(t, ALL), *between = take(t, ALL);
    for (int i = 0; i < ALL; i++)
        all[i] = (uint16_t)i;
    for (enum lp_dtype type = LP_F16; type <= LP_BF16; type++) {
        uint16_t infinity = type == LP_F16 ? 0x7c00 : 0x7f80;
        int fraction = type == LP_F16 ? 10 : 7, bias = type == LP_F16 ? 15 : 127;
        t->kernels->to_f32(wide, all, type, ALL);
        t->kernels->from_f32(back, wide, type, ALL);
        for (int i = 0; i < ALL; i++)
            between[i] = (i & 0x7fff) < infinity - 1 ? wide[i] + (wide[i + 1] - wide[i]) / 2 : 0;
        for (int i = 0; i < ALL; i++) {
            int bits = i & 0x7fff, exponent = bits >> fraction, rest = bits & ((1 << fraction) - 1);
            if (bits > infinity) {
                assert_true(isnan(wide[i]) && (back[i] & 0x7fff) > infinity);
                continue;
            }
            double value = exponent ? ldexp((1 << fraction) + rest, exponent - bias - fraction)
                                    : ldexp(rest, 1 - bias - fraction);
            assert_true(bits == infinity ? isinf(wide[i]) : fabsf(wide[i]) == (float)value);
            assert_true(!!signbit(wide[i]) == (i > 0x7fff));
            assert_int_equal(back[i], i);
        }
        t->kernels->from_f32(back, between, type, ALL);
        for (int i = 0; i < ALL; i++)
            if ((i & 0x7fff) < infinity - 1)
                assert_int_equal(back[i], i % 2 ? i + 1 : i);
        float large[2] = {type == LP_F16 ? 65520 : 3.4e38f, type == LP_F16 ? 65519 : 3.39e38f};
        t->kernels->from_f32(back, large, type, 2);
        assert_int_equal(back[0], infinity);
        assert_int_equal(back[1], infinity - 1);
    }
}

LP_CASE_OF(sums, 24)
LP_CASE_OF(activations, 48)
LP_CASE_OF(gated, 24)
LP_CASE_OF(optimizer, 16)
LP_CASE_OF(positions, 24)
LP_CASE_OF(tables, 24)
LP_CASE_OF(stored, 1)

int main(void) {
    const struct CMUnitTest tests[] = {
        LP_CASES(sums, 24),      LP_CASES(activations, 48), LP_CASES(gated, 24), LP_CASES(optimizer, 16),
        LP_CASES(positions, 24), LP_CASES(tables, 24),      LP_CASES(stored, 1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
