/* SPDX-License-Identifier: MIT */
/* Data-parallel training: processes ("ranks") that each take a share of every batch. A module that is loaded only under
 * mpirun fills the table, so that nobody else needs MPI. Every rank must call the same functions in the same order. */
#ifndef LP_TRAIN_RANKS_H
#define LP_TRAIN_RANKS_H

#include <stdint.h>

struct lp_ranks {
    int rank, count;
    int told; /* another rank failed: it explains, this one only ends */
    /* The lowest rank that says it failed; -1 when none does. */
    int (*first_failed)(int failed);
    /* x[n] becomes the sum over all ranks. */
    void (*sum_floats)(float *x, int64_t n);
    void (*sum_doubles)(double *x, int64_t n);
    /* Rank 0's bytes to all. */
    void (*share)(void *x, int64_t bytes);
    void (*close)(void);
};

/* What the module exports. Zero when there is no MPI to speak to. */
#define LP_RANKS_OPEN "lp_mpi_open"
typedef int lp_ranks_open(struct lp_ranks *ranks);

#endif
