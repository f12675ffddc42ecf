/* SPDX-License-Identifier: MIT */
/* Memory by lifetime: many small things that go together (a model's structs, a conversation, a request). */
#ifndef LP_BASE_ARENA_H
#define LP_BASE_ARENA_H

#include <stddef.h>

struct lp_arena_chunk;

/* Zero-initialised is a valid empty arena. */
struct lp_arena {
    struct lp_arena_chunk *chunks;
    size_t used, size; /* of the newest chunk, bytes */
};

/* Zeroed, aligned to 64 bytes where n >= 64, else 16; lives until lp_arena_done. NULL when out of memory. */
void *lp_arena_alloc(struct lp_arena *a, size_t n);
void *lp_arena_array(struct lp_arena *a, size_t count, size_t size); /* NULL also on overflow */
char *lp_arena_strdup(struct lp_arena *a, const char *s);
char *lp_arena_strndup(struct lp_arena *a, const char *s, size_t n);
char *lp_arena_printf(struct lp_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lp_arena_done(struct lp_arena *a); /* frees all; the arena is empty and usable again */

#endif
