/* SPDX-License-Identifier: MIT */
/* Choosing a table, and what a kernel does without memory for its panels. */
#include "kernel/variants.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {"portable", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx"};

static void every_entry(void **state) {
    (void)state;
    assert_non_null(lp_kernels_find("portable"));
    assert_null(lp_kernels_find("abacus"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct lp_kernels *table = lp_kernels_find(names[i]);
        if (!table)
            continue;
        assert_string_equal(table->name, names[i]);
        void *const *entry = (void *const *)table;
        for (size_t j = 0; j < sizeof *table / sizeof *entry; j++)
            assert_non_null(entry[j]);
    }
}

/* In a child, as the choice is made once. */
static void chooses(const char *limit, const char *name) {
    pid_t child = fork();
    if (!child) {
        if (limit)
            setenv("LP_CPU", limit, 1);
        const struct lp_kernels *table = lp_kernels_cpu();
        _exit(!table || (name && strcmp(table->name, name) != 0));
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void masked(void **state) {
    (void)state;
    chooses(NULL, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (lp_kernels_find(names[i]))
            chooses(names[i], names[i]);
    chooses("abacus", lp_kernels_cpu()->name);
}

struct inputs {
    float x[40 * 70], w[50 * 70], out[3][40 * 50];
    bool without_memory;
};

/* On a fresh thread, which has no working memory yet. */
static void *compute(void *p) {
    struct inputs *in = p;
    const struct lp_kernels *k = lp_kernels_cpu();
    struct lp_attention_shape a = {
        .T = 20, .S = 20, .H = 2, .G = 2, .D = 25, .q_stride = 50, .kv_stride = 50, .scale = 0.2f};
    float lse[40];
    if (in->without_memory)
        lp_test_fail_alloc(1);
    k->matmul_nt(in->out[0], in->x, in->w, LP_F32, NULL, 40, 50, 70);
    k->matmul_nn(in->out[0], in->x, in->w, 40, 50, 70, true);
    k->matmul_tn(in->out[0], in->x, in->w, 40, 50, 70);
    k->attention(in->out[1], lse, in->x, in->w, in->w + 1000, &a);
    k->attention_grad(in->out[2], in->out[2], in->out[2], in->x, in->out[1], lse, in->x, in->w, in->w + 1000,
                      &a);
    lp_test_fail_alloc(0);
    return NULL;
}

static void without_memory(void **state) {
    (void)state;
    static struct inputs inputs[2];
    struct trial t = {.kernels = lp_kernels_cpu(), .reference = lp_kernels_cpu()};
    lp_rng_seed(&t.rng, 1);
    for (int i = 0; i < 40 * 70; i++)
        inputs[0].x[i] = inputs[1].x[i] = lp_rng_normal(&t.rng);
    for (int i = 0; i < 50 * 70; i++)
        inputs[0].w[i] = inputs[1].w[i] = lp_rng_normal(&t.rng);
    inputs[1].without_memory = true;
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, compute, &inputs[i]), 0);
        pthread_join(thread, NULL);
    }
    for (int i = 0; i < 3; i++)
        expect_close(&t, "without memory", inputs[1].out[i], inputs[0].out[i], 40 * 50, 1e-10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_entry), cmocka_unit_test(masked),
                                       cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
