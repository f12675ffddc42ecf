/* SPDX-License-Identifier: MIT */
/* What the golden tests share: stored tensors, comparison, every kernel table of this machine. */
#ifndef LP_TESTS_MODEL_GOLDEN_H
#define LP_TESTS_MODEL_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/llava_model.h"
#include "weights/weights.h"

#define GOLDEN LP_TESTS_DIR "/golden/"

static const char *const kernel_names[] = {"portable", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx"};
enum { KERNEL_TABLES = sizeof kernel_names / sizeof *kernel_names };

/* Its rough products round to bf16. */
static inline bool golden_rounds(const struct lp_kernels *k) {
    return !strcmp(k->name, "avx512_bf16") || !strcmp(k->name, "amx");
}

/* Fails the test with the error's sentence. */
static inline void require(bool ok, const struct lp_error *err) {
    if (!ok)
        fail_msg("%s", err->text);
}

static inline struct lp_weights *golden_open(const char *folder, const char *file) {
    char path[300];
    struct lp_error err = {0};
    snprintf(path, sizeof path, GOLDEN "%s/%s", folder, file);
    struct lp_weights *w = lp_weights_open_file(path, &err);
    require(w != NULL, &err);
    return w;
}

static inline const struct lp_weight *golden_find(const struct lp_weights *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline const struct lp_weight *golden_find(const struct lp_weights *w, const char *format, ...) {
    char name[300];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const struct lp_weight *t = lp_weights_find(w, name);
    if (!t)
        fail_msg("no golden tensor '%s'", name);
    return t;
}

/* Largest difference over the largest reference; NaN counts as 1. */
static inline double golden_difference(const float *got, const float *want, int64_t n) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - want[i]), a = fabs((double)want[i]);
        worst = d > worst ? d : worst;
        largest = a > largest ? a : largest;
        if (isnan(got[i]))
            return 1;
    }
    return largest > 0 ? worst / largest : worst;
}

/* got must be what t holds, to 1e-4. `where` names the model and kernels. */
static inline void golden_compare(const char *where, const struct lp_weight *t, const float *got, int64_t n) {
    if (n != lp_weight_elements(t))
        fail_msg("%s, %s: %ld numbers, not %ld", where, t->name, (long)n, (long)lp_weight_elements(t));
    double difference = golden_difference(got, t->data, n);
    if (!(difference <= 1e-4))
        fail_msg("%s, %s: relative difference %.3g", where, t->name, difference);
}

static inline void golden_compare_tensor(const char *where, const struct lp_weight *t, lp_run *r,
                                         const lp_tensor *x) {
    struct lp_error err = {0};
    require(lp_run_check(r, &err), &err);
    golden_compare(where, t, lp_f32(x), lp_count(x));
}

/* The stored tensor as an input of a run. Borrowed. */
static inline lp_tensor golden_input(const struct lp_weight *t) {
    lp_tensor x = {.type = LP_F32, .ndim = t->ndim, .data = (void *)t->data};
    for (int i = 0; i < t->ndim; i++)
        x.dim[i] = t->dim[i];
    return x;
}

/* 0, 1, .. n-1 in the run. */
static inline const int32_t *golden_positions(lp_run *r, int64_t n) {
    int32_t *position = lp_run_alloc(r, sizeof(int32_t) * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        position[i] = (int32_t)i;
    return position;
}

/* Opens a model while the n-th allocation fails, for every n: it says so, until there are no more. */
static inline void golden_open_while_allocations_fail(const char *path) {
    bool opened = false;
    for (long n = 1; !opened; n++) {
        struct lp_error err = {0};
        lp_test_fail_alloc(n);
        struct lp_llava *m = lp_llava_open(path, lp_kernels_find("portable"), &err);
        bool failed = lp_test_alloc_failed();
        lp_test_fail_alloc(0);
        opened = m != NULL;
        if (opened ? failed : err.code != LP_EMEMORY)
            fail_msg("allocation %ld: code %d, %s", n, err.code, err.text);
        lp_llava_close(m);
    }
}

/* Runs test for every table that this machine can run; the first always can. */
static inline void golden_each_kernels(void (*test)(const struct lp_kernels *k)) {
    for (int i = 0; i < KERNEL_TABLES; i++) {
        const struct lp_kernels *k = lp_kernels_find(kernel_names[i]);
        assert_true(k || i > 0);
        if (k)
            test(k);
        else
            print_message("         (skipped: %s)\n", kernel_names[i]);
    }
}

#endif
