/* SPDX-License-Identifier: MIT */
/* cli/cmd_bench_kernels.c - llava-plus bench kernels: the speed of the kernels beside what the machine can do at
 * most. The limit is measured anew right before each kernel, each as the best of a few short runs, so that a
 * busy machine slows both alike; rates and shares of the limit are medians over rounds of that. */
#include "cli/cmd_bench.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/options.h"
#include "kernel/kernel.h"
#include "kernel/peak.h"

#include <jansson.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 96, NUMBERS = LP_BENCH_NUMBERS, RUNS = 3 };

enum kind { NT, NN, TN, STREAM, ATTENTION, ATTENTION_GRAD, LAYER_NORM, GELU, CROSS_ENTROPY, ADAMW };

/* One thing that is measured: `work` operations (or bytes) in a call. */
struct row {
    char name[32], shape[32];
    const struct lp_kernels *kernels;
    enum kind kind;
    enum lp_dtype type;
    int64_t M, N, K;
    double work;
    bool bytes;
    double rate[LP_BENCH_ROUNDS], share[LP_BENCH_ROUNDS]; /* in 10^9 a second; of the limit */
};

/* The machine's limits, with one thread and with all. */
struct peaks {
    double f32[2][LP_BENCH_ROUNDS], bf16[2][LP_BENCH_ROUNDS], stream[2][LP_BENCH_ROUNDS];
};

struct bench {
    struct peaks peaks;
    struct row row[ROWS_MOST];
    int rows, rounds, threads;
    float *memory; /* NUMBERS floats, all small and none zero */
};

/* One call. y, x and w lie in different parts of the memory. */
static void call(const struct bench *b, const struct row *r) {
    enum { PART = NUMBERS / 3 };
    const struct lp_kernels *k = r->kernels;
    float *y = b->memory, *x = y + PART, *w = x + PART;
    struct lp_attention_shape a = {.T = r->M,
                                   .S = r->M,
                                   .H = r->N,
                                   .G = r->N,
                                   .D = r->K,
                                   .q_stride = r->N * r->K,
                                   .kv_stride = r->N * r->K,
                                   .scale = 0.125f,
                                   .rough = r->type == LP_BF16};
    struct lp_adamw_step step = {1e-6f, 0.9f, 0.999f, 1e-8f, 0.01f, 1, 1};
    int64_t n = r->M * r->N, size = a.T * a.q_stride;
    switch (r->kind) {
    case NT:
        k->matmul_nt(y, x, w, r->type, NULL, r->M, r->N, r->K);
        break;
    case NN:
        (r->type == LP_BF16 ? k->matmul_nn_rough : k->matmul_nn)(y, x, w, r->M, r->N, r->K, false);
        break;
    case TN:
        (r->type == LP_BF16 ? k->matmul_tn_rough : k->matmul_tn)(y, x, w, r->M, r->N, r->K);
        break;
    case STREAM:
        k->add_scaled(y, x, 1e-6f, n);
        break;
    case ATTENTION:
        k->attention(y, y + size, x, x + size, x + 2 * size, &a);
        break;
    case ATTENTION_GRAD:
        k->attention_grad(w, w + size, w + 2 * size, x, y, y + size, x, x + size, x + 2 * size, &a);
        break;
    case LAYER_NORM:
        k->layer_norm(y, NULL, x, w, w, r->M, r->N, 1e-5f);
        break;
    case GELU:
        k->act(y, x, LP_GELU, n);
        break;
    case CROSS_ENTROPY:
        k->cross_entropy(w, y, x, (const int32_t *)(w + r->M), r->M, r->N);
        break;
    case ADAMW:
        k->adamw(y, w, w + n, x, n, &step);
        break;
    }
}

/* Fresh weights, as they are stored; targets for cross entropy. */
static void prepare(const struct bench *b, const struct row *r) {
    float *x = b->memory + NUMBERS / 3, *w = b->memory + NUMBERS / 3 * 2;
    r->kernels->from_f32(w, x, r->type, r->N * (r->K ? r->K : r->M));
    if (r->kind == CROSS_ENTROPY)
        memset(w + r->M, 0, (size_t)r->M * sizeof(int32_t));
}

static struct row *add_row(struct bench *b, const struct lp_kernels *k, const char *name, enum kind kind,
                           double work, int64_t M, int64_t N, int64_t K) {
    struct row *r = &b->row[b->rows++];
    *r = (struct row){.kernels = k, .kind = kind, .M = M, .N = N, .K = K, .work = work};
    snprintf(r->name, sizeof r->name, "%s", name);
    if (K)
        snprintf(r->shape, sizeof r->shape, "%dx%dx%d", (int)M, (int)N, (int)K);
    else
        snprintf(r->shape, sizeof r->shape, "%dx%d", (int)M, (int)N);
    return r;
}

static void add_products(struct bench *b, const struct lp_kernels *k) {
    static const int shapes[][3] = {{576, 4096, 1024}, {512, 4096, 4096}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int64_t M = shapes[i][0], N = shapes[i][1], K = shapes[i][2];
        double work = 2.0 * (double)(M * N * K);
        add_row(b, k, "matmul_nt f32", NT, work, M, N, K);
        add_row(b, k, "matmul_nt bf16", NT, work, M, N, K)->type = LP_BF16;
        add_row(b, k, "matmul_nt f16", NT, work, M, N, K)->type = LP_F16;
        add_row(b, k, "matmul_nn f32", NN, work, M, N, K);
        add_row(b, k, "matmul_tn f32", TN, work, M, N, K);
        add_row(b, k, "matmul_nn bf16", NN, work, M, N, K)->type = LP_BF16;
        add_row(b, k, "matmul_tn bf16", TN, work, M, N, K)->type = LP_BF16;
    }
}

/* Decoding one token: bound by reading the weights. */
static void add_others(struct bench *b, const struct lp_kernels *k) {
    struct row *r = add_row(b, k, "matmul_nt f32", NT, 4.0 * 4096 * 4096, 1, 4096, 4096);
    r->bytes = true;
    r = add_row(b, k, "matmul_nt bf16", NT, 2.0 * 4096 * 4096, 1, 4096, 4096);
    r->type = LP_BF16;
    r->bytes = true;
    add_row(b, k, "attention", ATTENTION, 4.0 * 577 * 577 * 16 * 64, 577, 16, 64);
    add_row(b, k, "attention bf16", ATTENTION, 4.0 * 577 * 577 * 16 * 64, 577, 16, 64)->type = LP_BF16;
    add_row(b, k, "attention_grad", ATTENTION_GRAD, 10.0 * 577 * 577 * 16 * 64, 577, 16, 64);
    add_row(b, k, "layer_norm", LAYER_NORM, 8.0 * 2048 * 1024, 2048, 1024, 0)->bytes = true;
    add_row(b, k, "act gelu", GELU, 8.0 * 2048 * 1024, 2048, 1024, 0)->bytes = true;
    add_row(b, k, "cross_entropy", CROSS_ENTROPY, 8.0 * 256 * 32000, 256, 32000, 0)->bytes = true;
    add_row(b, k, "add_scaled", STREAM, 12.0 * 4096 * 4096, 4096, 4096, 0)->bytes = true;
    add_row(b, k, "adamw", ADAMW, 28.0 * 4096 * 2048, 4096, 2048, 0)->bytes = true;
}

static void measure_peaks(struct bench *b, int round) {
    const struct lp_peak *peak = lp_peak_cpu();
    for (int i = 0; i < 2; i++) {
        int threads = i ? b->threads : 1;
        b->peaks.f32[i][round] = lp_bench_peak_rate(peak->f32, threads, RUNS);
        b->peaks.bf16[i][round] = peak->bf16 ? lp_bench_peak_rate(peak->bf16, threads, RUNS) : 0;
        b->peaks.stream[i][round] = lp_bench_memory_rate(b->memory, NUMBERS, threads);
    }
}

/* What a row is measured against. Products of bf16 may use either kind of multiply-add. */
static double limit_of(const struct bench *b, const struct row *r) {
    if (r->bytes)
        return lp_bench_memory_rate(b->memory, NUMBERS, b->threads);
    return r->type == LP_BF16 ? lp_bench_fastest_rate(b->threads, RUNS)
                              : lp_bench_peak_rate(lp_peak_cpu()->f32, b->threads, RUNS);
}

/* Like the limit's, the best of a few calls. */
static void measure_row(const struct bench *b, struct row *r, int round) {
    prepare(b, r);
    call(b, r);
    double limit = limit_of(b, r), best = 1e300, start = lp_clock_ms(), now = start;
    for (int calls = 0; (calls < 3 || now - start < 20) && now - start < 1000; calls++) {
        double before = now;
        call(b, r);
        now = lp_clock_ms();
        best = now - before < best ? now - before : best;
    }
    r->rate[round] = r->work / best / 1e6;
    r->share[round] = r->rate[round] / limit;
}

static void measure(struct bench *b) {
    for (int64_t i = 0; i < NUMBERS; i++)
        b->memory[i] = 1e-3f * (float)(1 + i % 97);
    for (int round = 0; round < b->rounds; round++) {
        measure_peaks(b, round);
        for (int i = 0; i < b->rows; i++)
            measure_row(b, &b->row[i], round);
    }
}

static void print_table(const struct bench *b) {
    const struct peaks *p = &b->peaks;
    printf("%-22s %12s %12d threads\n", "machine, at most", "1 thread", b->threads);
    printf("%-22s %12.1f %12.1f GFLOP/s\n", "float32 multiply-add", lp_bench_median(p->f32[0], b->rounds),
           lp_bench_median(p->f32[1], b->rounds));
    if (lp_peak_cpu()->bf16)
        printf("%-22s %12.1f %12.1f GFLOP/s\n", "bf16 dot product", lp_bench_median(p->bf16[0], b->rounds),
               lp_bench_median(p->bf16[1], b->rounds));
    printf("%-22s %12.1f %12.1f GB/s\n\n", "reading memory", lp_bench_median(p->stream[0], b->rounds),
           lp_bench_median(p->stream[1], b->rounds));
    printf("%-12s %-16s %-16s %10s          %s\n", "kernels", "", "shape", "rate", "of the limit");
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];
        printf("%-12s %-16s %-16s %10.1f %-8s %4.0f %%\n", r->kernels->name, r->name, r->shape,
               lp_bench_median(r->rate, b->rounds), r->bytes ? "GB/s" : "GFLOP/s", 100 * lp_bench_median(r->share, b->rounds));
    }
    printf("\n%s is what this machine uses. GB/s of kernels that work in a cache may pass the memory's.\n",
           lp_kernels_cpu()->name);
}

static json_t *pair(const double *one, const double *all, int n) {
    return json_pack("{s:f, s:f}", "one_thread", lp_bench_median(one, n), "all_threads", lp_bench_median(all, n));
}

static bool print_json(const struct bench *b) {
    const struct peaks *p = &b->peaks;
    json_t *rows = json_array();
    for (int i = 0; i < b->rows; i++) {
        const struct row *r = &b->row[i];
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:f, s:s, s:f}", "kernels", r->kernels->name, "name", r->name,
                            "shape", r->shape, "rate", lp_bench_median(r->rate, b->rounds), "unit",
                            r->bytes ? "GB/s" : "GFLOP/s", "share_of_limit", lp_bench_median(r->share, b->rounds)));
    }
    json_t *all =
        json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "threads", b->threads, "used", lp_kernels_cpu()->name,
                  "peak_f32_gflops", pair(p->f32[0], p->f32[1], b->rounds),
                  "peak_bf16_gflops", pair(p->bf16[0], p->bf16[1], b->rounds),
                  "memory_gb_s", pair(p->stream[0], p->stream[1], b->rounds), "rows", rows);
    char *text = all ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(5)) : NULL;
    json_decref(all);
    if (text)
        puts(text);
    lp_free(text);
    return text != NULL;
}

static bool run_kernels(struct bench *b, const char *name, bool json, struct lp_error *err) {
    static const char *const names[] = {"avx2", "avx512", "avx512_bf16", "amx"};
    const struct lp_kernels *one = name ? lp_kernels_find(name) : NULL;
    if (name && !one)
        return lp_error_set(err, LP_EUSAGE,
                            "this machine has no kernels '%s'; try portable, avx2, avx512, avx512_vnni, avx512_bf16 "
                            "or amx",
                            name);
    b->threads = omp_get_max_threads();
    b->memory = lp_alloc_array(NUMBERS, sizeof *b->memory);
    if (!b->memory)
        return lp_error_memory(err);
    for (size_t i = 0; !name && i < sizeof names / sizeof *names; i++)
        if (lp_kernels_find(names[i]))
            add_products(b, lp_kernels_find(names[i]));
    if (!b->rows)
        add_products(b, one ? one : lp_kernels_cpu());
    add_others(b, one ? one : lp_kernels_cpu());
    measure(b);
    if (lp_bench_median(b->peaks.f32[1], b->rounds) < 0.7 * b->threads * lp_bench_median(b->peaks.f32[0], b->rounds))
        fprintf(stderr,
                "llava-plus bench kernels: the threads do not have the cores to themselves; these numbers "
                "mean little, measure again when the machine is quiet\n");
    if (!json)
        print_table(b);
    return !json || print_json(b) || lp_error_memory(err);
}

int lp_cmd_bench_kernels(int argc, char **argv) {
    bool json = false;
    const char *name = NULL;
    int64_t rounds;
    int status;
    const struct lp_option options[] = {
        {.name = "cpu",
         .argument = "NAME",
         .kind = LP_OPTION_STRING,
         .target = &name,
         .help = "only the kernels portable, avx2, avx512, avx512_vnni, avx512_bf16 or amx"},
        {.name = "rounds",
         .argument = "N",
         .kind = LP_OPTION_INT,
         .target = &rounds,
         .fallback = "5",
         .lo = 1,
         .hi = LP_BENCH_ROUNDS,
         .help = "how often everything is measured; medians are told"},
        {.name = "json", .help = "print JSON", .target = &json},
        {.name = NULL},
    };
    const struct lp_usage usage = {"bench kernels",
                                   "[options]",
                                   "Measures the machine's peak and how near the kernels come to it. "
                                   "OMP_NUM_THREADS sets the threads.",
                                   options,
                                   0,
                                   0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    struct lp_error err = {0};
    struct bench *b = lp_alloc(sizeof *b);
    bool done = b || lp_error_memory(&err);
    if (b) {
        b->rounds = (int)rounds;
        done = run_kernels(b, name, json, &err);
        lp_free(b->memory);
    }
    lp_free(b);
    return done ? 0 : lp_command_fail("bench kernels", &err);
}
