/* SPDX-License-Identifier: MIT */
/* cli/ranks.c - see ranks.h. Open MPI's mpirun says in the environment how many there are. */
#include "cli/ranks.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

bool lp_ranks_find(struct lp_ranks *ranks, struct lp_ranks **out, struct lp_error *err) {
    const char *count = getenv("OMPI_COMM_WORLD_SIZE");
    *out = NULL;
    if (!count || atoi(count) < 2)
        return true;
#ifdef LP_MPI_MODULE
    void *module = dlopen(LP_MPI_MODULE, RTLD_NOW | RTLD_GLOBAL);
    lp_ranks_open *enter = NULL;
    void *symbol = module ? dlsym(module, LP_RANKS_OPEN) : NULL;
    memcpy(&enter, &symbol, sizeof enter);
    if (!enter || !enter(ranks))
        return lp_error_set(err, LP_EIO, "cannot use MPI from %s: %s", LP_MPI_MODULE, module ? "it does not start" : dlerror());
    *out = ranks;
    return true;
#else
    (void)ranks;
    return lp_error_set(err, LP_EINPUT, "this build knows no MPI: install libopenmpi-dev and build again, or train without mpirun");
#endif
}
