/* SPDX-License-Identifier: MIT */
/* base/memory.c - allocation, with injected failures for tests. */
#include "base/memory.h"

#include <jansson.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long fail_at; /* allocations left before the failing one; 0: never fail */
static atomic_bool has_failed;

static _Thread_local bool thread_failed;

static bool must_fail(void) {
    long left = atomic_load(&fail_at);
    if (left == 0)
        return false;
    if (left > 1) {
        atomic_store(&fail_at, left - 1);
        return false;
    }
    atomic_store(&has_failed, true);
    return true;
}

static size_t page_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* From so many bytes on the first touch of pages of 4 KiB costs more than what is done with them. */
enum { HUGE_BYTES = 4 << 20 };

static void ask_for_huge_pages(void *p, size_t bytes) {
    size_t page = page_bytes(), skip = (page - (uintptr_t)p % page) % page;
    madvise((char *)p + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
}

void *lp_alloc(size_t bytes) {
    void *p = must_fail() ? NULL : calloc(1, bytes ? bytes : 1);
    if (p && bytes >= HUGE_BYTES)
        ask_for_huge_pages(p, bytes);
    thread_failed = thread_failed || !p;
    return p;
}

void *lp_alloc_array(size_t count, size_t size) {
    return size && count > SIZE_MAX / size ? NULL : lp_alloc(count * size);
}

void *lp_realloc(void *old, size_t bytes) {
    void *p = must_fail() ? NULL : realloc(old, bytes ? bytes : 1);
    thread_failed = thread_failed || !p;
    return p;
}

void lp_free(void *p) {
    free(p);
}

size_t lp_large_bytes(size_t bytes) {
    size_t page = page_bytes();
    return bytes < LP_LARGE ? bytes : (bytes + page - 1) / page * page;
}

void *lp_alloc_large(size_t bytes) {
    if (bytes < LP_LARGE)
        return lp_alloc(bytes);
    void *p = must_fail() ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    thread_failed = thread_failed || p == MAP_FAILED;
    return p == MAP_FAILED ? NULL : p;
}

void lp_free_large(void *p, size_t bytes) {
    if (bytes < LP_LARGE)
        free(p);
    else if (p)
        munmap(p, bytes);
}

void lp_memory_large_apart(void) {
    mallopt(M_MMAP_THRESHOLD, 256 << 10); /* named, it no longer rises with what is freed */
}

struct lp_memory_use lp_memory_use(void) {
    struct mallinfo2 heap = mallinfo2();
    FILE *file = fopen("/proc/self/statm", "r");
    size_t all, resident = 0;
    if (file && fscanf(file, "%zu %zu", &all, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return (struct lp_memory_use){resident * page_bytes(), heap.uordblks + heap.hblkhd, heap.fordblks};
}

__attribute__((constructor)) static void route_jansson(void) {
    json_set_alloc_funcs(lp_alloc, lp_free);
}

bool lp_alloc_take_failure(void) {
    bool failed = thread_failed;
    thread_failed = false;
    return failed;
}

void lp_test_fail_alloc(long n) {
    atomic_store(&fail_at, n);
    atomic_store(&has_failed, false);
}

bool lp_test_alloc_failed(void) {
    return atomic_load(&has_failed);
}
