/* SPDX-License-Identifier: MIT */
/* The only place that calls malloc. */
#ifndef LP_BASE_MEMORY_H
#define LP_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *lp_alloc(size_t bytes);                  /* zeroed; NULL when out of memory; owned by caller */
void *lp_alloc_array(size_t count, size_t size); /* zeroed; NULL also when count * size overflows */
void *lp_realloc(void *old, size_t bytes);     /* NULL leaves old as it was */
void lp_free(void *p);                         /* NULL is fine */
/* Whether an allocation of this thread has failed since the last call: for libraries that blur the cause. */
bool lp_alloc_take_failure(void);

/* Makes the n-th allocation from now on fail, and every later one (n >= 1); 0 ends it. Counts jansson's
 * allocations too. For tests; not for use while other threads allocate. */
void lp_test_fail_alloc(long n);
bool lp_test_alloc_failed(void); /* whether an allocation has failed that way since the last call above */

#endif
