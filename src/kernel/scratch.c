/* SPDX-License-Identifier: MIT */
/* scratch.c - see scratch.h. */
#include "kernel/scratch.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdint.h>

struct scratch {
    size_t floats;
    float *start;
    void *memory;
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

static void release(void *p) {
    struct scratch *s = p;
    if (s)
        lp_free(s->memory);
    lp_free(s);
}

static void make_key(void) {
    key_error = pthread_key_create(&key, release);
}

static struct scratch *of_thread(void) {
    if (pthread_once(&once, make_key) || key_error)
        return NULL;
    struct scratch *s = pthread_getspecific(key);
    if (s)
        return s;
    s = lp_alloc(sizeof *s);
    if (s && pthread_setspecific(key, s)) {
        lp_free(s);
        s = NULL;
    }
    return s;
}

float *lp_scratch(size_t floats) {
    struct scratch *s = of_thread();
    if (!s)
        return NULL;
    if (floats <= s->floats)
        return s->start;
    lp_free(s->memory);
    s->floats = 0;
    s->memory = floats > (SIZE_MAX - 64) / sizeof(float) ? NULL : lp_alloc(floats * sizeof(float) + 64);
    if (!s->memory)
        return NULL;
    s->floats = floats;
    s->start = (float *)(((uintptr_t)s->memory + 63) / 64 * 64);
    return s->start;
}
