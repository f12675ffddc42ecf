/* SPDX-License-Identifier: MIT */
/* dispatch.c - which tables this machine can run, and the choice among them. */
#include "kernel/portable/portable.h"
#include "kernel/x86/x86.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Each later one needs more of the machine. */
enum { MOST_TABLES = 4 };
static struct lp_kernels tables[MOST_TABLES];
static int count, best;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A table that starts as a copy of the one before. */
static struct lp_kernels *new_table(const char *name) {
    struct lp_kernels *table = &tables[count++];
    *table = count > 1 ? tables[count - 2] : lp_portable_table;
    table->name = name;
    return table;
}

#if defined(__x86_64__)
#include <cpuid.h>

/* Clang 14's __builtin_cpu_supports does not know this one. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static void fill(void) {
    new_table("portable");
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (!avx2 || !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
        return;
    struct lp_kernels *avx512 = new_table("avx512");
    lp_avx512_put_matmul(avx512);
    lp_avx512_put_attention(avx512);
    lp_avx512_put_pointwise(avx512);
    if (__builtin_cpu_supports("avx512bf16"))
        lp_avx512_bf16_put_matmul(new_table("avx512_bf16"));
    /* Intel's VDPBF16PS runs at half the rate of float32's FMA (Sapphire Rapids), AMD's at twice. */
    best = __builtin_cpu_is("amd") ? count - 1 : 1;
}
#else
static void fill(void) {
    new_table("portable");
}
#endif

const struct lp_kernels *lp_kernels_find(const char *name) {
    pthread_once(&once, fill);
    for (int i = 0; i < count; i++)
        if (!strcmp(tables[i].name, name))
            return &tables[i];
    return NULL;
}

static const struct lp_kernels *chosen;

/* A name in LP_CPU that this machine cannot run changes nothing. */
static void choose(void) {
    const char *limit = getenv("LP_CPU");
    chosen = limit ? lp_kernels_find(limit) : NULL;
    if (!chosen)
        chosen = &tables[best];
}

const struct lp_kernels *lp_kernels_cpu(void) {
    static pthread_once_t choice = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    pthread_once(&choice, choose);
    return chosen;
}
