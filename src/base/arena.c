/* SPDX-License-Identifier: MIT */
/* base/arena.c - chunks with a bump pointer. */
#include "base/arena.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct lp_arena_chunk {
    struct lp_arena_chunk *next;
};

enum { CHUNK_BYTES = 16 << 10, HEADER_BYTES = 64 };

void *lp_arena_alloc(struct lp_arena *a, size_t n) {
    size_t align = n >= 64 ? 64 : 16;
    if (n > SIZE_MAX / 2)
        return NULL;
    uintptr_t base = (uintptr_t)a->chunks;
    size_t at = base ? ((base + a->used + align - 1) & ~(uintptr_t)(align - 1)) - base : 0;
    if (!a->chunks || at + n > a->size) {
        size_t size = HEADER_BYTES + align + n;
        if (size < CHUNK_BYTES)
            size = CHUNK_BYTES;
        struct lp_arena_chunk *chunk = lp_alloc(size);
        if (!chunk)
            return NULL;
        chunk->next = a->chunks;
        a->chunks = chunk;
        a->size = size;
        base = (uintptr_t)chunk;
        at = ((base + HEADER_BYTES + align - 1) & ~(uintptr_t)(align - 1)) - base;
    }
    a->used = at + n;
    return (char *)a->chunks + at;
}

void *lp_arena_array(struct lp_arena *a, size_t count, size_t size) {
    return size && count > SIZE_MAX / size ? NULL : lp_arena_alloc(a, count * size);
}

char *lp_arena_strndup(struct lp_arena *a, const char *s, size_t n) {
    char *copy = lp_arena_alloc(a, n + 1);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

char *lp_arena_strdup(struct lp_arena *a, const char *s) {
    return lp_arena_strndup(a, s, strlen(s));
}

char *lp_arena_printf(struct lp_arena *a, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *s = n < 0 ? NULL : lp_arena_alloc(a, (size_t)n + 1);
    if (!s)
        return NULL;
    va_start(args, format);
    vsnprintf(s, (size_t)n + 1, format, args);
    va_end(args);
    return s;
}

void lp_arena_done(struct lp_arena *a) {
    while (a->chunks) {
        struct lp_arena_chunk *next = a->chunks->next;
        lp_free(a->chunks);
        a->chunks = next;
    }
    a->used = a->size = 0;
}
