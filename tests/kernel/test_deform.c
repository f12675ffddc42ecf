/* SPDX-License-Identifier: MIT */
/* Deformable attention: samples inside maps, at their borders and beyond. */
#include "kernel/variants.h"

/* The value of channel c between the places of a map; places outside are zeros. */
static double between(const float *map, int64_t H, int64_t W, int64_t stride, int64_t c, double x, double y) {
    double sum = 0;
    for (int64_t row = 0; row < H; row++)
        for (int64_t column = 0; column < W; column++)
            sum += fmax(0, 1 - fabs(x - (double)column)) * fmax(0, 1 - fabs(y - (double)row)) *
                   map[(row * W + column) * stride + c];
    return sum;
}

static void naive_deform(float *y, const float *value, const float *offset, const float *weight,
                         const float *reference, const struct lp_deform_shape *s) {
    int64_t C = s->heads * s->D, L = s->levels, P = s->points;
    for (int64_t i = 0; i < s->queries * C; i++) {
        int64_t q = i / C, h = i % C / s->D;
        const float *map = value, *at = reference + q * s->reference_size;
        double sum = 0;
        for (int64_t l = 0; l < L; map += s->map[l].H * s->map[l].W * C, l++)
            for (int64_t p = 0; p < P; p++) {
                int64_t sample = ((q * s->heads + h) * L + l) * P + p;
                double dx = offset[2 * sample] / (double)s->map[l].W;
                double dy = offset[2 * sample + 1] / (double)s->map[l].H;
                if (s->reference_size == 4) {
                    dx = offset[2 * sample] / (double)P * at[2] / 2;
                    dy = offset[2 * sample + 1] / (double)P * at[3] / 2;
                }
                sum += weight[sample] * between(map, s->map[l].H, s->map[l].W, C, i % C,
                                                (at[0] + dx) * (double)s->map[l].W - 0.5,
                                                (at[1] + dy) * (double)s->map[l].H - 0.5);
            }
        y[i] = (float)sum;
    }
}

static const struct lp_kernels naive = {.name = "naive", .deformable_attention = naive_deform};

static void deform(struct trial *t) {
    struct lp_deform_shape s = {.queries = random_size(t, 30),
                                .heads = random_size(t, 4),
                                .D = random_size(t, 70),
                                .levels = random_size(t, 4),
                                .points = random_size(t, 5),
                                .reference_size = t->seed % 2 ? 2 : 4};
    int64_t places = 0;
    if (t->seed % 8 == 0)
        s.queries = 700; /* enough work for several threads */
    for (int64_t i = 0; i < s.levels; i++) {
        s.map[i].H = random_size(t, 9);
        s.map[i].W = random_size(t, 9);
        places += s.map[i].H * s.map[i].W;
    }
    snprintf(t->shape, sizeof t->shape, "%d queries, %d heads of %d, %d levels of %d points", (int)s.queries,
             (int)s.heads, (int)s.D, (int)s.levels, (int)s.points);
    int64_t C = s.heads * s.D, samples = s.queries * s.heads * s.levels * s.points;
    float *value = random_floats(t, places * C), *offset = random_floats(t, 2 * samples);
    float *weight = random_floats(t, samples), *reference = take(t, 4 * s.queries);
    for (int64_t i = 0; i < 4 * s.queries; i++)
        reference[i] = (float)lp_rng_below(&t->rng, 101) / 100;
    float *got = take(t, s.queries * C), *want = take(t, s.queries * C);
    t->kernels->deformable_attention(got, value, offset, weight, reference, &s);
    t->reference->deformable_attention(want, value, offset, weight, reference, &s);
    expect_close(t, "deformable attention", got, want, s.queries * C, 1e-9);
}

/* Offsets that are no numbers, or too far for whole numbers, hit nothing. */
static void far(struct trial *t) {
    struct lp_deform_shape s = {
        .queries = 1, .heads = 1, .D = 3, .levels = 1, .points = 4, .reference_size = 2, .map = {{2, 2}}};
    const float offset[] = {NAN, 0, 0, -INFINITY, 1e30f, 0, -1e30f, NAN}, weight[] = {1, 1, 1, 1},
                reference[] = {0.5f, 0.5f};
    float *value = random_floats(t, 12), y[3] = {1, 1, 1};
    t->kernels->deformable_attention(y, value, offset, weight, reference, &s);
    for (int i = 0; i < 3; i++)
        assert_true(y[i] == 0);
}

LP_CASE_OF(deform, 40)
LP_CASE_OF(far, 1)

int main(void) {
    const struct CMUnitTest tests[] = {LP_CASES(deform, 40), LP_CASES(far, 1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
