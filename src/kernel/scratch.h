/* SPDX-License-Identifier: MIT */
/* scratch.h - a thread's working memory for kernels, kept between calls: fresh pages are dear. */
#ifndef LP_KERNEL_SCRATCH_H
#define LP_KERNEL_SCRATCH_H

#include <stddef.h>

/* At least `floats` numbers of any content at a 64-byte boundary, the calling thread's until its next call of
 * this function; freed when the thread ends. NULL when out of memory. */
float *lp_scratch(size_t floats);

#endif
