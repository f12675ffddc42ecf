/* SPDX-License-Identifier: MIT */
#ifndef LP_CLI_CMD_BENCH_H
#define LP_CLI_CMD_BENCH_H

#include <stdint.h>

enum {
    LP_BENCH_ROUNDS = 31,        /* most rounds of a measurement */
    LP_BENCH_NUMBERS = 96 << 20, /* 384 MiB: no cache holds them */
};

/* Of n values, 1 to LP_BENCH_ROUNDS. */
double lp_bench_median(const double *value, int64_t n);

/* How fast `threads` read memory [n], in 10^9 bytes a second: the best of three times. */
double lp_bench_memory_rate(const float *memory, int64_t n, int threads);

/* What nothing but multiply-adds reach, in 10^9 operations a second: the best of `runs`, each some milliseconds. */
double lp_bench_peak_rate(double (*loop)(int64_t), int threads, int runs);

/* The faster of float32's and bf16's multiply-adds: on some machines the one is, on others the other. */
double lp_bench_fastest_rate(int threads, int runs);

int lp_cmd_bench_kernels(int argc, char **argv); /* llava-plus bench kernels */
int lp_cmd_bench_pictures(int argc, char **argv);
int lp_cmd_bench_planner(int argc, char **argv); /* llava-plus bench planner */

#endif
