/* SPDX-License-Identifier: MIT */
/* vector/panels.h - how threads share the panels of packed matrices. */
#ifndef LP_KERNEL_VECTOR_PANELS_H
#define LP_KERNEL_VECTOR_PANELS_H

#include <omp.h>
#include <stdint.h>

/* Multiplications from which one product is worth a second thread. */
enum { PACKED_PARALLEL_WORK = 1 << 18 };

/* Threads do not read at the same rate: each takes a stretch of panels after the other. */
static inline int64_t stretch_of(int64_t panels) {
    enum { STRETCHES = 8 };
    return panels / (STRETCHES * omp_get_num_threads()) + 1;
}

#endif
