/* SPDX-License-Identifier: MIT */
/* How numbers are stored. */
#ifndef LP_BASE_DTYPE_H
#define LP_BASE_DTYPE_H

#include <stdint.h>

enum lp_dtype { LP_F32, LP_F16, LP_BF16 };

static inline int64_t lp_dtype_bytes(enum lp_dtype type) {
    return type == LP_F32 ? 4 : 2;
}

#endif
