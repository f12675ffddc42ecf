/* SPDX-License-Identifier: MIT */
/* nn/kv_cache.c - keys and values of past positions. */
#include "nn/layers.h"

#include <string.h>
#include <sys/mman.h>

/* Bytes of n rows of one layer's keys, or of its values. */
static size_t part_bytes(const struct lp_kv_cache *c, int64_t n) {
    return (size_t)lp_dtype_row_bytes(c->type, n * c->width);
}

/* Row `row` of part `part`: 2 * layer for keys, 1 more for values. */
static char *part_row(const struct lp_kv_cache *c, int64_t part, int64_t row) {
    return (char *)c->data + part_bytes(c, part * c->limit + row);
}

size_t lp_kv_cache_row_bytes(const struct lp_kv_cache *c) {
    return part_bytes(c, 2 * c->layers);
}

bool lp_kv_cache_init(struct lp_kv_cache *c, struct lp_error *err) {
    void *data = mmap(NULL, part_bytes(c, 2 * c->layers * c->limit), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    c->rows = 0;
    c->data = data == MAP_FAILED ? NULL : data;
    return c->data || lp_error_set(err, LP_EMEMORY, "no memory for a conversation of %ld positions", (long)c->limit);
}

void lp_kv_cache_done(struct lp_kv_cache *c) {
    if (c->data)
        munmap(c->data, part_bytes(c, 2 * c->layers * c->limit));
    *c = (struct lp_kv_cache){0};
}

static lp_tensor *append(lp_run *r, struct lp_kv_cache *c, int64_t part, const lp_tensor *x) {
    int64_t T = lp_rows(x);
    r->k->from_f32(part_row(c, part, c->rows), lp_f32(x), c->type, T * c->width);
    lp_tensor all = {.type = c->type, .ndim = 2, .dim = {c->rows + T, c->width}, .data = part_row(c, part, 0)};
    return lp_view(r, &all, 2, c->rows + T, c->width);
}

bool lp_kv_cache_append(lp_run *r, struct lp_kv_cache *c, int64_t layer, lp_tensor **k, lp_tensor **v) {
    if (!lp_enter(r, "kv_cache"))
        return false;
    if (c->rows + lp_rows(*k) > c->limit) {
        lp_fail(r, LP_EINPUT, "the conversation is longer than the %ld positions the model can hold", (long)c->limit);
        return false;
    }
    *k = append(r, c, 2 * layer, *k);
    *v = append(r, c, 2 * layer + 1, *v);
    return *k && *v;
}

void lp_kv_cache_save(const struct lp_kv_cache *c, int64_t first, int64_t rows, void *out) {
    size_t bytes = part_bytes(c, rows);
    for (int64_t i = 0; i < 2 * c->layers; i++)
        memcpy((char *)out + (size_t)i * bytes, part_row(c, i, first), bytes);
}

bool lp_kv_cache_load(struct lp_kv_cache *c, const void *in, int64_t rows) {
    size_t bytes = part_bytes(c, rows);
    if (rows > c->limit - c->rows)
        return false;
    for (int64_t i = 0; i < 2 * c->layers; i++)
        memcpy(part_row(c, i, c->rows), (const char *)in + (size_t)i * bytes, bytes);
    c->rows += rows;
    return true;
}
