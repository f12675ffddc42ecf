/* SPDX-License-Identifier: MIT */
/* parts.h - arithmetic of cutting work into parts. */
#ifndef LP_KERNEL_PARTS_H
#define LP_KERNEL_PARTS_H

#include <stdint.h>

static inline int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* a / b, rounded up; both positive. */
static inline int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

#endif
