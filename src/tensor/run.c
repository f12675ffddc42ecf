/* SPDX-License-Identifier: MIT */
/* tensor/run.c - the arena of a run, its marks and its first error. */
#include "tensor/run.h"

#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* clang's spelling */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 64 };

/* Pages that are touched for the first time are dear: the mapping of a closed run waits here for the next one that wants
 * its size, and the system may take its pages meanwhile. */
struct spare {
    size_t limit;
};
static _Atomic(struct spare *) spare_mapping;

static void *take_mapping(size_t limit) {
    struct spare *s = atomic_exchange(&spare_mapping, NULL);
    if (s && s->limit == limit)
        return s;
    if (s)
        munmap(s, s->limit);
    return mmap(NULL, limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void give_mapping(void *base, size_t limit, size_t touched) {
    if (limit < sizeof(struct spare)) {
        munmap(base, limit);
        return;
    }
    madvise(base, touched, MADV_FREE);
    ((struct spare *)base)->limit = limit;
    struct spare *old = atomic_exchange(&spare_mapping, base);
    if (old)
        munmap(old, old->limit);
}

lp_run *lp_run_open(const struct lp_kernels *kernels, size_t limit_bytes, struct lp_error *err) {
    lp_run *r = lp_alloc(sizeof *r);
    if (!r) {
        lp_error_memory(err);
        return NULL;
    }
    void *base = take_mapping(limit_bytes);
    if (base == MAP_FAILED) {
        lp_error_set(err, LP_EMEMORY, "cannot reserve %zu MiB of address space", limit_bytes >> 20);
        lp_free(r);
        return NULL;
    }
    r->k = kernels;
    r->base = base;
    r->limit = limit_bytes;
    return r;
}

void lp_run_close(lp_run *r) {
    if (!r)
        return;
    ASAN_UNPOISON_MEMORY_REGION(r->base, r->peak);
    give_mapping(r->base, r->limit, r->peak);
    lp_free(r);
}

/* Gives back all from `used` on; a stale pointer into it shows at once in a debug build. */
static void rewind_to(lp_run *r, size_t used) {
#ifdef LP_DEBUG
    for (size_t i = used; i + sizeof(float) <= r->used; i += sizeof(float))
        memcpy(r->base + i, &(float){NAN}, sizeof(float));
#endif
    ASAN_POISON_MEMORY_REGION(r->base + used, r->used - used);
    r->used = used;
}

void lp_run_reset(lp_run *r) {
    rewind_to(r, 0);
    r->last = NULL;
    r->spare = NULL;
    r->error = (struct lp_error){0};
}

bool lp_run_check(lp_run *r, struct lp_error *err) {
    if (!r->error.code)
        return true;
    if (err)
        *err = r->error;
    r->error = (struct lp_error){0};
    return false;
}

void *lp_run_alloc(lp_run *r, size_t bytes) {
    size_t size = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (size < bytes || size > r->limit - r->used) {
        lp_fail(r, LP_EMEMORY, "the picture or text needs more than the %zu MiB set aside for one pass",
                r->limit >> 20);
        return NULL;
    }
    void *p = r->base + r->used;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    r->used += size;
    if (r->used > r->peak)
        r->peak = r->used;
    return p;
}

static lp_tensor *make(lp_run *r, enum lp_dtype type, int ndim, const int64_t *dim, void *data) {
    lp_tensor *x = lp_run_alloc(r, sizeof *x);
    if (!x)
        return NULL;
    *x = (lp_tensor){.type = type, .ndim = ndim, .data = data};
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) {
        x->dim[i] = dim[i];
        if (dim[i] < 0 || __builtin_mul_overflow(n, dim[i], &n) || n > INT64_MAX / 4)
            return lp_fail(r, LP_EMEMORY, "a tensor is too large");
    }
    if (!data)
        x->data = lp_run_alloc(r, (size_t)lp_dtype_row_bytes(type, n));
    return x->data ? x : NULL;
}

static void read_dims(int64_t *dim, int ndim, va_list args) {
    for (int i = 0; i < ndim; i++)
        dim[i] = va_arg(args, int64_t);
}

lp_tensor *lp_new(lp_run *r, int ndim, ...) {
    int64_t dim[LP_MAX_DIMS];
    va_list args;
    va_start(args, ndim);
    read_dims(dim, ndim, args);
    va_end(args);
    return make(r, LP_F32, ndim, dim, NULL);
}

lp_tensor *lp_like(lp_run *r, const lp_tensor *x) {
    return make(r, LP_F32, x->ndim, x->dim, NULL);
}

lp_tensor *lp_like_of(lp_run *r, const lp_tensor *x, enum lp_dtype type) {
    return make(r, type, x->ndim, x->dim, NULL);
}

lp_tensor *lp_view(lp_run *r, const lp_tensor *x, int ndim, ...) {
    if (!lp_enter(r, "view"))
        return NULL;
    int64_t dim[LP_MAX_DIMS];
    va_list args;
    va_start(args, ndim);
    read_dims(dim, ndim, args);
    va_end(args);
    lp_tensor *y = make(r, x->type, ndim, dim, x->data);
    if (y && lp_count(y) != lp_count(x))
        return lp_fail(r, LP_ESHAPE, "%ld elements do not make %ld", (long)lp_count(x), (long)lp_count(y));
    return y;
}

lp_tensor *lp_view_rows(lp_run *r, const lp_tensor *x, int64_t from, int64_t n) {
    if (!lp_enter(r, "view"))
        return NULL;
    int64_t C = lp_dim(x, -1);
    return make(r, x->type, 2, (const int64_t[]){n, C}, (uint8_t *)x->data + lp_dtype_row_bytes(x->type, from * C));
}

lp_mark lp_here(const lp_run *r) {
    return (lp_mark){r->used};
}

void lp_back_to(lp_run *r, lp_mark m) {
    rewind_to(r, m.used);
}

lp_tensor *lp_keep(lp_run *r, lp_mark m, lp_tensor *x) {
    if (r->error.code || r->taping)
        return r->error.code ? NULL : x;
    lp_tensor kept = *x;
    size_t end = r->used;
    r->used = m.used;
    lp_tensor *moved = lp_run_alloc(r, sizeof *moved);
    if ((uint8_t *)kept.data >= r->base + m.used && (uint8_t *)kept.data < r->base + end) {
        size_t bytes = (size_t)lp_dtype_row_bytes(kept.type, lp_count(&kept));
        void *data = lp_run_alloc(r, bytes);
        memmove(data, kept.data, bytes); /* downwards: never over x's own descriptor, which was read already */
        kept.data = data;
    }
    *moved = kept;
    size_t used = r->used;
    if (used < end) {
        r->used = end;
        rewind_to(r, used);
    }
    return moved;
}

bool lp_enter(lp_run *r, const char *op) {
    if (r->error.code)
        return false;
    r->op = op;
    if (r->cancel && *r->cancel) {
        lp_error_set(&r->error, LP_ECANCELED, "canceled");
        return false;
    }
    return true;
}

lp_tensor *lp_fail(lp_run *r, enum lp_code code, const char *format, ...) {
    if (r->error.code)
        return NULL;
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lp_error_set(&r->error, code, "%s: %s", r->op ? r->op : "run", text);
    return NULL;
}
