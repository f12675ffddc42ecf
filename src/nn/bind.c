/* SPDX-License-Identifier: MIT */
/* nn/bind.c - weights to fields. */
#include "nn/bind.h"

#include "base/memory.h"
#include "kernel/kernel.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

size_t lp_bind_enter(struct lp_bind *b, const char *format, ...) {
    size_t length = strlen(b->prefix);
    va_list args;
    va_start(args, format);
    vsnprintf(b->prefix + length, sizeof b->prefix - length, format, args);
    va_end(args);
    strncat(b->prefix, ".", sizeof b->prefix - strlen(b->prefix) - 1);
    return length;
}

void lp_bind_leave(struct lp_bind *b, size_t length) {
    b->prefix[length] = 0;
}

static void note_missing(struct lp_bind *b, const char *name, const char *why) {
    lp_str_printf(&b->missing, "%s%s%s", b->missing_count ? ", " : "", name, why);
    b->missing_count++;
}

static bool add_parameter(struct lp_bind *b, const char *name, lp_tensor *x) {
    struct lp_parameters *p = b->parameters;
    if (p->count == p->capacity) {
        int64_t capacity = p->capacity ? 2 * p->capacity : 64;
        struct lp_parameter *item = lp_arena_array(b->arena, (size_t)capacity, sizeof *item);
        if (!item)
            return false;
        if (p->count)
            memcpy(item, p->item, (size_t)p->count * sizeof *item);
        p->item = item;
        p->capacity = capacity;
    }
    p->item[p->count++] = (struct lp_parameter){name, x};
    return true;
}

/* Matrices keep the size of what passes: the deviation falls with the number of inputs. */
static bool draw(struct lp_bind *b, lp_tensor *x, enum lp_bind_kind kind) {
    int64_t n = lp_count(x);
    float deviation = kind <= LP_BIND_TABLE ? 1 / sqrtf((float)(n / x->dim[0])) : 0.02f;
    float *data = lp_arena_array(b->arena, (size_t)n, sizeof *data);
    for (int64_t i = 0; data && i < n; i++)
        data[i] = kind == LP_BIND_SCALE ? 1 : kind == LP_BIND_SHIFT ? 0 : deviation * lp_rng_normal(b->rng);
    x->data = data;
    return data;
}

/* The weight of this name as it was laid out before; NULL where it was not. */
static const void *laid_out(const struct lp_bind *b, const struct lp_weight *w, int64_t bytes) {
    const struct lp_weight *ready = b->packed ? lp_weights_find(b->packed, w->name) : NULL;
    return ready && ready->type == LP_WEIGHT_U8 && (int64_t)ready->bytes == bytes ? ready->data : NULL;
}

/* A weight's data with its rows as Hugging Face has them: mapped where the file has them so, else a copy. */
static const void *plain_rows(struct lp_bind *b, const struct lp_weight *w) {
    const void *ready = laid_out(b, w, (int64_t)w->bytes);
    if (ready || !lp_weights_head_rows(b->files, w))
        return ready ? ready : w->data;
    void *copy = lp_arena_alloc(b->arena, w->bytes);
    if (copy) {
        lp_weights_copy(b->files, w, copy);
        lp_weight_let_go(b->files, w);
    }
    return copy;
}

/* Blocks always; float16 can be used as the file has it, and in a packed file lies in panels. */
static bool wants_panels(const struct lp_bind *b, const lp_tensor *x, const struct lp_weight *w) {
    if (lp_dtype_block(x->type) > 1)
        return true;
    int64_t N = x->dim[0], K = lp_count(x) / N;
    return x->type == LP_F16 && (b->packs_half || laid_out(b, w, b->kernels->packed_bytes(x->type, N, K)));
}

/* A matrix in the order in which products read it; the file's own pages are let go: not two copies. */
static bool pack(struct lp_bind *b, lp_tensor *x, const struct lp_weight *w) {
    int64_t N = x->dim[0], K = lp_count(x) / N, bytes = b->kernels->packed_bytes(x->type, N, K);
    const void *ready = bytes ? laid_out(b, w, bytes) : NULL;
    if (ready) {
        x->data = (void *)ready;
        x->packed = true;
        return true;
    }
    void *data = bytes ? lp_arena_alloc(b->arena, (size_t)bytes) : NULL;
    bool turned = lp_weights_head_rows(b->files, w) != 0;
    void *plain = data && turned ? lp_alloc(w->bytes) : NULL;
    if (!data || (turned && !plain))
        return false;
    if (turned)
        lp_weights_copy(b->files, w, plain);
    b->kernels->pack(data, turned ? plain : w->data, x->type, N, K);
    lp_free(plain);
    lp_weight_let_go(b->files, w);
    x->data = data;
    x->packed = true;
    return true;
}

/* Matrices stay in the mapped file as they are, unless they are packed; what is small, unaligned or will learn becomes
 * float32 in memory: small weights lie between large ones, and pages of the file may be of 2 MiB. */
static bool take(struct lp_bind *b, lp_tensor *x, enum lp_bind_kind kind, const struct lp_weight *w) {
    bool blocks = lp_dtype_block(x->type) > 1, small = kind == LP_BIND_SCALE || kind == LP_BIND_SHIFT;
    if (!b->learns && kind == LP_BIND_MATRIX && wants_panels(b, x, w))
        return pack(b, x, w);
    const void *stored = plain_rows(b, w);
    if (!stored)
        return false;
    x->data = (void *)stored;
    bool as_stored = !b->learns && !small && (x->type == LP_F32 || kind != LP_BIND_EMBEDDING) &&
                     (blocks || (uintptr_t)stored % (uintptr_t)lp_dtype_bytes(x->type) == 0);
    if (as_stored)
        return true;
    int64_t n = lp_count(x);
    float *data = lp_arena_array(b->arena, (size_t)n, sizeof *data);
    if (!data)
        return false;
    b->kernels->to_f32(data, stored, x->type, n);
    lp_weight_let_go(b->files, w);
    x->type = LP_F32;
    x->data = data;
    return true;
}

lp_tensor *lp_bind_tensor(struct lp_bind *b, const char *name, enum lp_bind_kind kind, int ndim, ...) {
    char *full = lp_arena_printf(b->arena, "%s%s", b->prefix, name);
    lp_tensor *x = lp_arena_alloc(b->arena, sizeof *x);
    if (!full || !x || !add_parameter(b, full, x)) {
        b->failed = true;
        return NULL;
    }
    x->ndim = ndim;
    x->learns = b->learns;
    va_list args;
    va_start(args, ndim);
    for (int i = 0; i < ndim; i++)
        x->dim[i] = va_arg(args, int64_t);
    va_end(args);
    if (!b->files) {
        b->failed = !draw(b, x, kind) || b->failed;
        return x;
    }
    const struct lp_weight *w = lp_weights_find(b->files, full);
    bool fits = w && w->ndim == ndim;
    for (int i = 0; fits && i < ndim; i++)
        fits = w->dim[i] == x->dim[i];
    char shape[LP_SHAPE_TEXT], why[LP_SHAPE_TEXT + 32];
    snprintf(why, sizeof why, " (must be %s)", lp_shape_text(x, shape));
    if (!w)
        note_missing(b, full, "");
    else if (!fits)
        note_missing(b, full, why);
    else if (!lp_weight_dtype(w, &x->type))
        note_missing(b, full, " (must be float32, float16, bfloat16, q8_0, q4_0, q4_K or q6_K)");
    else if (!b->checks)
        b->failed = !take(b, x, kind, w) || b->failed;
    return x;
}

bool lp_bind_done(struct lp_bind *b, struct lp_error *err) {
    bool ok = false;
    if (b->failed || b->missing.failed)
        lp_error_memory(err);
    else if (b->missing_count)
        lp_error_set(err, LP_EMISSING, "%ld weight%s missing or of another shape: %s", (long)b->missing_count,
                     b->missing_count == 1 ? " is" : "s are", lp_str_text(&b->missing));
    else
        ok = true;
    lp_str_done(&b->missing);
    return ok;
}
