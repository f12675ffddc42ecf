/* SPDX-License-Identifier: MIT */
/* mpi/module.c - the ranks of an MPI program; built as a module of its own where MPI is installed. */
#include "train/ranks.h"

#include <mpi.h>

__attribute__((visibility("default"))) int lp_mpi_open(struct lp_ranks *ranks);

static int first_failed(int failed) {
    int rank, most, mine, first;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &most);
    mine = failed ? rank : most;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return first < most ? first : -1;
}

/* MPI counts in int. */
static void sum_floats(float *x, int64_t n) {
    enum { MOST = 1 << 26 };
    for (int64_t i = 0; i < n; i += MOST)
        MPI_Allreduce(MPI_IN_PLACE, x + i, (int)(n - i < MOST ? n - i : MOST), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static void sum_doubles(double *x, int64_t n) {
    MPI_Allreduce(MPI_IN_PLACE, x, (int)n, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void share(void *x, int64_t bytes) {
    enum { MOST = 1 << 28 };
    for (int64_t i = 0; i < bytes; i += MOST)
        MPI_Bcast((char *)x + i, (int)(bytes - i < MOST ? bytes - i : MOST), MPI_BYTE, 0, MPI_COMM_WORLD);
}

static void done(void) {
    MPI_Finalize();
}

int lp_mpi_open(struct lp_ranks *ranks) {
    int given;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS)
        return 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks->count);
    ranks->first_failed = first_failed;
    ranks->sum_floats = sum_floats;
    ranks->sum_doubles = sum_doubles;
    ranks->share = share;
    ranks->close = done;
    return 1;
}
