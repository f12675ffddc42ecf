/* SPDX-License-Identifier: MIT */
/* cli/cmd_bench.c - llava-plus bench: what is measured, by name. */
#include "cli/cmd_bench.h"
#include "cli/command.h"

#include "base/clock.h"
#include "base/memory.h"
#include "cli/options.h"
#include "kernel/kernel.h"
#include "kernel/peak.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double lp_bench_median(const double *value, int64_t n) {
    double sorted[LP_BENCH_ROUNDS];
    memcpy(sorted, value, (size_t)n * sizeof *value);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double lp_bench_memory_rate(const float *memory, int64_t n, int threads) {
    double best = 0;
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    for (int i = 0; i < 3; i++) {
        double start = lp_clock_ms();
        volatile double sum = lp_kernels_cpu()->sum_squares(memory, n);
        (void)sum;
        double rate = 4.0 * (double)n / (lp_clock_ms() - start) / 1e6;
        best = rate > best ? rate : best;
    }
    omp_set_num_threads(before);
    return best;
}

double lp_bench_peak_rate(double (*loop)(int64_t), int threads, int runs) {
    double best = 0;
    for (int i = 0; i < runs; i++) {
        double operations = 0, start = lp_clock_ms();
#pragma omp parallel num_threads(threads) reduction(+ : operations)
        operations += loop(400000);
        double rate = operations / (lp_clock_ms() - start) / 1e6;
        best = rate > best ? rate : best;
    }
    return best;
}

double lp_bench_fastest_rate(int threads, int runs) {
    const struct lp_peak *peak = lp_peak_cpu();
    double f32 = lp_bench_peak_rate(peak->f32, threads, runs);
    double bf16 = peak->bf16 ? lp_bench_peak_rate(peak->bf16, threads, runs) : 0;
    return bf16 > f32 ? bf16 : f32;
}

static int memory(int argc, char **argv) {
    const struct lp_option options[] = {{0}};
    const struct lp_usage usage = {"bench memory", "", "Prints how fast memory is read, in GB/s. OMP_NUM_THREADS sets the threads.",
                                   options, 0, 0};
    int status;
    struct lp_error err = {0};
    if (!lp_options_parse(&usage, &argc, argv, &status))
        return status;
    float *x = lp_alloc_array(LP_BENCH_NUMBERS, sizeof *x);
    if (!x) {
        lp_error_memory(&err);
        return lp_command_fail("bench memory", &err);
    }
    for (int64_t i = 0; i < LP_BENCH_NUMBERS; i++)
        x[i] = 1e-3f * (float)(1 + i % 97);
    printf("%.1f\n", lp_bench_memory_rate(x, LP_BENCH_NUMBERS, omp_get_max_threads()));
    lp_free(x);
    return 0;
}

static const struct lp_named_command commands[] = {
    {"kernels", lp_cmd_bench_kernels, "the speed of the arithmetic beside the machine's peak"},
    {"memory", memory, "how fast memory is read"},
    {"pictures", lp_cmd_bench_pictures, "what seeing a picture costs, kernel by kernel"},
    {"planner", lp_cmd_bench_planner, "what a planner's answer costs, part by part"},
    {NULL, NULL, NULL},
};

int lp_cmd_bench(int argc, char **argv) {
    return lp_command_choose(" bench", commands, argc, argv);
}
