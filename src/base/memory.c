/* SPDX-License-Identifier: MIT */
/* base/memory.c - allocation, with injected failures for tests. */
#include "base/memory.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

void *lp_alloc(size_t bytes) {
    void *p = must_fail() ? NULL : calloc(1, bytes ? bytes : 1);
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
