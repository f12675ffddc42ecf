/* SPDX-License-Identifier: MIT */
/* variants.h - runs a case on one table of kernels against a reference: portable against formulas in double
 * (the test's `naive` table), every other table against portable. A table this machine cannot run is skipped.
 */
#ifndef LP_TESTS_KERNEL_VARIANTS_H
#define LP_TESTS_KERNEL_VARIANTS_H

#include "base/memory.h"
#include "base/rng.h"
#include "kernel/kernel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One trial: the tables, its random numbers, and all memory it took. */
struct trial {
    const struct lp_kernels *kernels, *reference;
    struct lp_rng rng;
    unsigned seed;
    char shape[128]; /* told when a comparison fails */
    void *memory[64];
    int taken;
};

struct suite {
    const char *variant;
    const struct lp_kernels *naive;
};

/* Its products of many rows of bf16, and those that may be rough, round to bf16. */
static inline bool rounds(const struct trial *t) {
    return !strcmp(t->kernels->name, "avx512_bf16") || !strcmp(t->kernels->name, "amx");
}

static inline float *take(struct trial *t, int64_t n) {
    assert_true(t->taken < 64);
    float *p = lp_alloc_array((size_t)n + 1, sizeof *p);
    assert_non_null(p);
    t->memory[t->taken++] = p;
    return p;
}

static inline float *random_floats(struct trial *t, int64_t n) {
    float *p = take(t, n);
    for (int64_t i = 0; i < n; i++)
        p[i] = lp_rng_normal(&t->rng);
    return p;
}

static inline float *copy_of(struct trial *t, const float *x, int64_t n) {
    float *p = take(t, n);
    memcpy(p, x, (size_t)n * sizeof *p);
    return p;
}

/* 1 up to `most`, small and edge sizes often. */
static inline int64_t random_size(struct trial *t, int most) {
    static const int edges[] = {1,  2,  3,  4,  5,  6,  7,  8,  11, 12, 13, 15,
                                16, 17, 23, 24, 25, 31, 32, 33, 48, 63, 64, 65};
    int n = lp_rng_below(&t->rng, 3) ? edges[lp_rng_below(&t->rng, sizeof edges / sizeof *edges)]
                                     : 1 + (int)lp_rng_below(&t->rng, (uint32_t)most);
    return n > most ? most : n;
}

/* Mean square error over mean square, with a little added below so that results near zero may differ a
 * little. */
static inline void expect_close(const struct trial *t, const char *what, const float *got, const float *want,
                                int64_t n, double tolerance) {
    double error = 0, size = 1e-6 * (double)n;
    for (int64_t i = 0; i < n; i++) {
        double d = got[i] == want[i] ? 0 : (double)got[i] - want[i]; /* two infinities are equal */
        error += d * d;
        size += isinf(want[i]) ? 0 : (double)want[i] * want[i];
    }
    if (!(error / size <= tolerance))
        fail_msg("%s, %s against %s: error %.3g, allowed %.3g; seed %u, %s", what, t->kernels->name,
                 t->reference->name, error / size, tolerance, t->seed, t->shape);
}

static inline void run_trials(const struct suite *s, void (*one)(struct trial *), unsigned trials) {
    const struct lp_kernels *kernels = lp_kernels_find(s->variant);
    if (!kernels)
        skip();
    for (unsigned seed = 1; seed <= trials; seed++) {
        struct trial t = {.kernels = kernels, .seed = seed};
        t.reference = strcmp(s->variant, "portable") ? lp_kernels_find("portable") : s->naive;
        lp_rng_seed(&t.rng, seed);
        one(&t);
        for (int i = 0; i < t.taken; i++)
            lp_free(t.memory[i]);
    }
}

/* A cmocka test of one case on one variant; `naive` is the file's table. */
#define LP_CASE(one, variant_, trials)                                                                       \
    {                                                                                                        \
#one " " variant_, one##_test_##trials, NULL, NULL, &(struct suite) {                                \
            variant_, &naive                                                                                 \
        }                                                                                                    \
    }
#define LP_CASE_OF(one, trials)                                                                              \
    static void one##_test_##trials(void **state) {                                                          \
        run_trials(*state, one, trials);                                                                     \
    }
#define LP_CASES(one, trials)                                                                                \
    LP_CASE(one, "portable", trials), LP_CASE(one, "avx2", trials), LP_CASE(one, "avx512", trials),          \
        LP_CASE(one, "avx512_vnni", trials), LP_CASE(one, "avx512_bf16", trials), LP_CASE(one, "amx", trials)

#endif
