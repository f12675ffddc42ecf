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

/* For what is large and comes and goes in any order: from LP_LARGE bytes on straight from the system, in whole pages, so that
 * what is freed leaves no holes in the heap. Zeroed; ended by lp_free_large with the same size. */
enum { LP_LARGE = 32 << 10 };
void *lp_alloc_large(size_t bytes);
void lp_free_large(void *p, size_t bytes);
size_t lp_large_bytes(size_t bytes); /* what so much really takes */

/* From now on malloc, too, takes what is large straight from the system and gives it back when it is freed: for processes that
 * run for long, whose heaps would grow with every new coincidence of large things. */
void lp_memory_large_apart(void);

/* What this process has in memory. */
struct lp_memory_use {
    size_t resident;        /* all of it, mapped files too; 0: the system does not tell */
    size_t heap, heap_free; /* handed out by malloc; kept by it for later */
};
struct lp_memory_use lp_memory_use(void);

/* Whether an allocation of this thread has failed since the last call: for libraries that blur the cause. */
bool lp_alloc_take_failure(void);

/* Makes the n-th allocation from now on fail, and every later one (n >= 1); 0 ends it. Counts jansson's
 * allocations too. For tests; not for use while other threads allocate. */
void lp_test_fail_alloc(long n);
bool lp_test_alloc_failed(void); /* whether an allocation has failed that way since the last call above */

#endif
