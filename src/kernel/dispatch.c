/* SPDX-License-Identifier: MIT */
/* dispatch.c - which tables this machine can run, and the choice among them. */
#include "kernel/peak.h"
#include "kernel/portable/portable.h"
#include "kernel/x86/x86.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Each later one needs more of the machine. */
enum { MOST_TABLES = 6 };
static struct lp_kernels tables[MOST_TABLES];
static int count;
static const struct lp_kernels *best;
static struct lp_peak peak = {.f32 = lp_portable_peak_f32};
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A table that starts as a copy of the best so far. */
static struct lp_kernels *new_table(const char *name) {
    struct lp_kernels *table = &tables[count++];
    *table = best ? *best : lp_portable_table;
    table->name = name;
    return table;
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fill_avx2(void) {
    struct lp_kernels *table = new_table("avx2");
    lp_avx2_put_matmul(table);
    lp_avx2_put_attention(table);
    lp_avx2_put_pointwise(table);
    lp_avx2_put_packed(table);
    peak.f32 = lp_avx2_peak_f32;
    best = table;
}

static void fill_avx512(void) {
    struct lp_kernels *table = new_table("avx512");
    lp_avx512_put_matmul(table);
    lp_avx512_put_attention(table);
    lp_avx512_put_pointwise(table);
    peak.f32 = lp_avx512_peak_f32;
    best = table;
}

/* Bytes are multiplied and summed by one instruction. */
static void fill_avx512_vnni(void) {
    struct lp_kernels *table = new_table("avx512_vnni");
    lp_avx512_vnni_put_packed(table);
    best = table;
}

/* VDPBF16PS runs at twice the rate of float32's FMA on AMD's processors, on Intel's at half of it. */
static void fill_avx512_bf16(void) {
    struct lp_kernels *table = new_table("avx512_bf16");
    lp_avx512_bf16_put_matmul(table);
    lp_avx512_bf16_put_attention(table);
    peak.bf16 = lp_avx512_peak_bf16;
    if (__builtin_cpu_is("amd"))
        best = table;
}

/* Linux asks each process to say that it wants the registers. */
static bool may_use_amx(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static void fill_amx(void) {
    struct lp_kernels *table = new_table("amx");
    lp_amx_put_matmul(table);
    lp_amx_put_attention(table);
    lp_amx_put_packed(table);
    peak.bf16 = lp_amx_peak_bf16;
    best = table;
}

/* Those that Clang 14's __builtin_cpu_supports does not know. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
}

static bool has_avx512_vnni(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c >> 11 & 1);
}

static bool has_avx512_bf16(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
}

static bool has_amx(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1) && may_use_amx();
}

static void fill_for_machine(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return;
    fill_avx2();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
        return;
    fill_avx512();
    if (has_avx512_vnni())
        fill_avx512_vnni();
    if (has_avx512_bf16())
        fill_avx512_bf16();
    if (has_avx512_vnni() && has_avx512_bf16() && has_amx())
        fill_amx();
}
#else
static void fill_for_machine(void) {
}
#endif

static void fill(void) {
    best = new_table("portable");
    fill_for_machine();
}

const struct lp_peak *lp_peak_cpu(void) {
    pthread_once(&once, fill);
    return &peak;
}

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
        chosen = best;
}

const struct lp_kernels *lp_kernels_cpu(void) {
    static pthread_once_t choice = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill);
    pthread_once(&choice, choose);
    return chosen;
}
