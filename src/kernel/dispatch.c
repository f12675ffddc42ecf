/* SPDX-License-Identifier: MIT */
/* dispatch.c - which tables this machine can run, and the choice among them. */
#include "kernel/portable/portable.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Fastest last. */
static const struct lp_kernels *const tables[] = {&lp_portable_table};

const struct lp_kernels *lp_kernels_find(const char *name) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!strcmp(tables[i]->name, name))
            return tables[i];
    return NULL;
}

const struct lp_kernels *lp_kernels_cpu(void) {
    const char *limit = getenv("LP_CPU");
    const struct lp_kernels *best = limit ? lp_kernels_find(limit) : NULL;
    return best ? best : tables[sizeof tables / sizeof *tables - 1];
}
