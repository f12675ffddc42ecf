/* SPDX-License-Identifier: MIT */
/* nn/kv_cache.c - keys and values of past positions. */
#include "nn/layers.h"

#include <string.h>
#include <sys/mman.h>

int64_t lp_kv_cache_bytes(int64_t layers, int64_t width, int64_t limit) {
    return (int64_t)sizeof(float) * 2 * layers * width * limit;
}

bool lp_kv_cache_init(struct lp_kv_cache *c, int64_t layers, int64_t width, int64_t limit, struct lp_error *err) {
    *c = (struct lp_kv_cache){.layers = layers, .width = width, .limit = limit};
    c->bytes = (size_t)lp_kv_cache_bytes(layers, width, limit);
    void *data = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return lp_error_set(err, LP_EMEMORY, "no memory for a conversation of %ld positions", (long)limit);
    c->data = data;
    return true;
}

void lp_kv_cache_done(struct lp_kv_cache *c) {
    if (c->data)
        munmap(c->data, c->bytes);
    *c = (struct lp_kv_cache){0};
}

static lp_tensor *append(lp_run *r, struct lp_kv_cache *c, float *rows, const lp_tensor *x) {
    int64_t T = lp_rows(x);
    memcpy(rows + c->rows * c->width, lp_f32(x), sizeof(float) * (size_t)(T * c->width));
    lp_tensor all = {.type = LP_F32, .ndim = 2, .dim = {c->rows + T, c->width}, .data = rows};
    return lp_view(r, &all, 2, c->rows + T, c->width);
}

bool lp_kv_cache_append(lp_run *r, struct lp_kv_cache *c, int64_t layer, lp_tensor **k, lp_tensor **v) {
    if (!lp_enter(r, "kv_cache"))
        return false;
    if (c->rows + lp_rows(*k) > c->limit) {
        lp_fail(r, LP_EINPUT, "the conversation is longer than the %ld positions the model can hold", (long)c->limit);
        return false;
    }
    float *keys = c->data + 2 * layer * c->limit * c->width, *values = keys + c->limit * c->width;
    *k = append(r, c, keys, *k);
    *v = append(r, c, values, *v);
    return *k && *v;
}

size_t lp_kv_cache_row_bytes(const struct lp_kv_cache *c) {
    return sizeof(float) * 2 * (size_t)c->layers * (size_t)c->width;
}

void lp_kv_cache_save(const struct lp_kv_cache *c, int64_t first, int64_t rows, void *out) {
    float *to = out;
    for (int64_t i = 0; i < 2 * c->layers; i++)
        memcpy(to + i * rows * c->width, c->data + (i * c->limit + first) * c->width,
               sizeof(float) * (size_t)(rows * c->width));
}

bool lp_kv_cache_load(struct lp_kv_cache *c, const void *in, int64_t rows) {
    const float *from = in;
    if (rows > c->limit - c->rows)
        return false;
    for (int64_t i = 0; i < 2 * c->layers; i++)
        memcpy(c->data + (i * c->limit + c->rows) * c->width, from + i * rows * c->width,
               sizeof(float) * (size_t)(rows * c->width));
    c->rows += rows;
    return true;
}
